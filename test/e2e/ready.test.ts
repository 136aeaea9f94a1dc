import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

/** Counts how often it was loaded and called in this process, and tells when it was loaded. */
const SOURCE = `
globalThis.loaded = (globalThis.loaded ?? 0) + 1;
const at = Date.now();
const spin = Date.now() + 60; while (Date.now() < spin);
console.log("loading");
let calls = 0;
export default (request, env) => {
  console.log("called");
  return Response.json({ loaded: globalThis.loaded, calls: ++calls, loadedBefore: Date.now() - at, invocation: env.MAYFLY_INVOCATION });
};`;

let mayfly: System;
let instance: string;
beforeAll(async () => {
  mayfly = await startSystem();
  instance = /MAYFLY_INSTANCE=([^\0]+)/.exec(readFileSync(`/proc/${mayfly.pid("worker")}/environ`, "utf8"))![1]!;
  expect((await mayfly.deploy("fn", SOURCE)).status).toBe(201);
}, 300_000);
afterAll(() => mayfly?.stop());

/** Boxes of this system that were made before their request. */
const waiting = () =>
  readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" }).filter((path) =>
    new RegExp(`mayfly/${instance}/box_[0-9a-f]{32}$`).test(path),
  );

async function callUntilReady() {
  for (let turn = 0; turn < 40; turn += 1) {
    const answer = await mayfly.call("fn");
    const seen = (await answer.json()) as Record<string, unknown>;
    const record = await mayfly.record(answer);
    if (record.start === "ready") return { seen, record, answer };
    await sleep(250);
  }
  throw new Error("no call found a ready box");
}

describe("a function that is called again and again", () => {
  it("finds a box that has loaded its code, was never called, and is billed for loading and handling apart", async () => {
    const { seen, record, answer } = await callUntilReady();
    expect(seen).toMatchObject({ loaded: 1, calls: 1, invocation: record.id });
    // It was loaded before the request came.
    expect(answer.headers.get("server-timing")).toMatch(/init;dur=0\.0/);
    const { usage } = record.bill;
    expect(usage.init_cpu_us).toBeGreaterThan(50_000);
    expect(usage.cpu_us! - usage.init_cpu_us!).toBeLessThan(50_000);
    expect(record.phases_us.init).toBeGreaterThan(50_000);
    expect(await mayfly.log(record.id)).toMatch(/loading[\s\S]*called/);
  });

  it("gets a fresh one each time", async () => {
    const pids = new Set<number>();
    for (let call = 0; call < 10; call += 1) {
      const { seen } = await callUntilReady();
      expect(seen).toMatchObject({ loaded: 1, calls: 1 });
      pids.add(seen.loadedBefore as number);
    }
    expect(pids.size).toBeGreaterThan(1);
  });

  it("has none any more when nobody called it for half a minute", { timeout: 60_000 }, async () => {
    await callUntilReady();
    await sleep(1_000);
    expect(waiting().length).toBeGreaterThan(0);
    await sleep(32_000);
    expect(waiting()).toEqual([]);
  });

  it("is billed once, and its box is gone, when the worker is killed in mid-call", { timeout: 60_000 }, async () => {
    const slow = `export default async (request) => {
      if (request.url.includes("slow")) await new Promise((resolve) => setTimeout(resolve, 20_000));
      return new Response("x");
    };`;
    expect((await mayfly.deploy("later", slow)).status).toBe(201);
    for (let call = 0; call < 3; call += 1) await (await mayfly.call("later")).text();
    await sleep(1_500);
    const call = mayfly.call("later/slow");
    await sleep(500);
    process.kill(mayfly.pid("worker")!, "SIGKILL");
    const answer = await call;
    expect(answer.status).toBe(502);
    const record = await mayfly.record(answer);
    expect(record).toMatchObject({ status: "platform_error", error: { code: "worker_lost" } });
    expect(record.bill.usage.cpu_us).toBeGreaterThan(0);
    expect(waiting()).toEqual([]);
  });
});
