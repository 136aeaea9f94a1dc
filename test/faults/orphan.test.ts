import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type System, startSystem } from "../e2e/system.ts";

let mayfly: System;
beforeAll(async () => {
  mayfly = await startSystem();
  const source = "export default () => { for (;;) {} }";
  expect((await mayfly.deploy("burner", source, "timeout=30s")).status).toBe(201);
}, 300_000);
afterAll(() => mayfly?.stop(), 60_000);

/** Folders named after a call, in any hierarchy. */
const groupsOf = (id: string): string[] =>
  readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(id) && existsSync(`/sys/fs/cgroup/${path}`),
  );

it("a worker that is killed in mid-call has its box billed from the cgroup, credited and removed by its successor", async () => {
  const calling = mayfly.call("burner");
  let id: string | undefined;
  while (!id) {
    const shown = (await (await mayfly.api("/v1/invocations?function=burner&status=running")).json()) as {
      invocations: { id: string }[];
    };
    id = shown.invocations[0]?.id;
    await sleep(20);
  }
  await sleep(1_000);
  expect(groupsOf(id).length).toBeGreaterThan(0);
  process.kill(mayfly.pid("worker")!, "SIGKILL");

  const answer = await calling;
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([502, "worker_lost"]);
  const record = await mayfly.record(id);
  expect(record).toMatchObject({ status: "platform_error", error: { code: "worker_lost" } });
  expect(record.bill.usage.cpu_us).toBeGreaterThan(300_000);
  expect(record.bill.lines.at(-1)).toMatchObject({ sku: "platform_error_credit" });
  expect(Number(record.bill.total.amount)).toBe(0);
  expect(groupsOf(id)).toEqual([]);
}, 60_000);
