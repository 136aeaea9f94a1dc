import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** Resident memory of a process, in bytes. */
const rss = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;

/** The largest growth of gateway and worker while `work` runs. */
async function growth(mayfly: System, work: () => Promise<void>): Promise<Record<string, number>> {
  const services = ["gateway", "worker"] as const;
  const pids = services.map((service) => mayfly.pid(service)!);
  const before = pids.map(rss);
  const peak = [...before];
  const watching = setInterval(() => {
    for (const [i, pid] of pids.entries()) peak[i] = Math.max(peak[i]!, rss(pid));
  }, 20);
  await work();
  clearInterval(watching);
  console.info(
    "grown by MiB",
    services.map((service, i) => `${service} ${Math.round((peak[i]! - before[i]!) / MiB)}`).join(", "),
  );
  return Object.fromEntries(services.map((service, i) => [service, peak[i]! - before[i]!]));
}

function curl(args: string[]): ChildProcess {
  return spawn("curl", ["-sS", "--no-buffer", ...args], { stdio: ["pipe", "pipe", "inherit"] });
}

async function output(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  child.stdout!.on("data", (chunk) => chunks.push(chunk));
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  return Buffer.concat(chunks).toString();
}

describe("bodies stream", () => {
  let mayfly: System;
  beforeAll(async () => {
    mayfly = await startSystem();
    const deploy = async (name: string, source: string, query = "") => {
      const answer = await mayfly.deploy(name, source, query);
      expect(answer.status, await answer.clone().text()).toBe(201);
    };
    await deploy(
      "count",
      `export default async (request) => { let n = 0; for await (const chunk of request.body) n += chunk.byteLength; return new Response(String(n)); }`,
      "timeout=300s",
    );
    await deploy(
      "pour",
      `export default () => { const block = new Uint8Array(65536); let left = ${GiB / 65536};
        return new Response(new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(block); else c.close(); } }, { highWaterMark: 0 })); }`,
      "timeout=300s",
    );
    await deploy(
      "ticks",
      `export default () => new Response(new ReadableStream({ async start(c) { for (let i = 0; i < 5; i++) { c.enqueue(new TextEncoder().encode("data: " + i + "\\n\\n"));
        await new Promise((r) => setTimeout(r, 200)); } c.close(); } }), { headers: { "content-type": "text/event-stream" } });`,
    );
    await deploy("wait", `export default () => new Promise(() => {})`, "timeout=60s");
  }, 300_000);
  afterAll(() => mayfly?.stop(), 60_000);

  it("1 GiB up through curl, and neither gateway nor worker grows by more than 64 MiB", async () => {
    const grown = await growth(mayfly, async () => {
      const child = curl(["-X", "POST", "-T", "-", `${mayfly.url}/fn/count`]);
      const answer = output(child);
      const block = Buffer.alloc(MiB, 7);
      for (let i = 0; i < 1024; i += 1) if (!child.stdin!.write(block)) await once(child.stdin!, "drain");
      child.stdin!.end();
      expect(await answer).toBe(String(GiB));
    });
    expect(grown.gateway).toBeLessThan(64 * MiB);
    expect(grown.worker).toBeLessThan(64 * MiB);
  }, 300_000);

  it("1 GiB down through curl, and neither gateway nor worker grows by more than 64 MiB", async () => {
    const grown = await growth(mayfly, async () => {
      const child = curl([`${mayfly.url}/fn/pour`]);
      let got = 0;
      child.stdout!.on("data", (chunk: Buffer) => (got += chunk.byteLength));
      await once(child, "close");
      expect(got).toBe(GiB);
    });
    expect(grown.gateway).toBeLessThan(64 * MiB);
    expect(grown.worker).toBeLessThan(64 * MiB);
  }, 300_000);

  it("server-sent events arrive as they are sent", async () => {
    const child = curl(["-N", `${mayfly.url}/fn/ticks`]);
    const times: number[] = [];
    child.stdout!.on("data", (chunk: Buffer) =>
      times.push(...(chunk.toString().match(/data:/g) ?? []).map(() => performance.now())),
    );
    await once(child, "close");
    expect(times).toHaveLength(5);
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    for (const gap of gaps) expect(gap).toBeGreaterThan(100);
  });

  it("a caller that goes away ends the box, and the call is billed as canceled", async () => {
    const child = curl([`${mayfly.url}/fn/wait`]);
    const running = async () =>
      (
        (await (await mayfly.api("/v1/invocations?function=wait&status=running")).json()) as {
          invocations: { id: string }[];
        }
      ).invocations;
    let id: string | undefined;
    while (!id) {
      id = (await running())[0]?.id;
      await sleep(20);
    }
    child.kill("SIGKILL");
    const record = await mayfly.record(id);
    expect(record.status).toBe("canceled");
    expect(record.bill.usage.wall_us).toBeLessThan(20_000_000);
  });
});
