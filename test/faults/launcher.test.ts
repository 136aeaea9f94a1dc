import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type System, startSystem } from "../e2e/system.ts";

let mayfly: System;
beforeAll(async () => {
  mayfly = await startSystem();
  const source = `export default async (request) => {
    if (new URL(request.url).pathname === "/wait") await new Promise((resolve) => setTimeout(resolve, 20_000));
    return new Response("ok");
  };`;
  expect((await mayfly.deploy("caught", source, "timeout=25s")).status).toBe(201);
}, 300_000);
afterAll(() => mayfly?.stop(), 60_000);

/** The worker's child that makes boxes. */
function launcherOf(worker: number): number {
  const found = readdirSync("/proc").filter((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return (
        status.includes(`\nPPid:\t${worker}\n`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("launcher")
      );
    } catch {
      return false;
    }
  });
  expect(found).toHaveLength(1);
  return Number(found[0]);
}

it("a launcher that is killed takes its worker along: the call it served is answered and billed, the next ones are served", async () => {
  const caught = mayfly.call("caught/wait");
  let id: string | undefined;
  while (!id) {
    const shown = (await (await mayfly.api("/v1/invocations?function=caught&status=running")).json()) as {
      invocations: { id: string }[];
    };
    id = shown.invocations[0]?.id;
    await sleep(20);
  }
  await sleep(1_000);
  const worker = mayfly.pid("worker")!;
  process.kill(launcherOf(worker), "SIGKILL");

  const answer = await caught;
  expect(answer.status).toBeGreaterThanOrEqual(500);
  expect((await mayfly.record(id)).status).toBe("platform_error");
  const until = Date.now() + 30_000;
  let status = 0;
  while (status !== 200 && Date.now() < until) {
    status = (await mayfly.call("caught").catch(() => null))?.status ?? 0;
    await sleep(100);
  }
  expect(status).toBe(200);
  expect(mayfly.pid("worker")).not.toBe(worker);
}, 90_000);
