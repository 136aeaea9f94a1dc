import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

const HELLO = readFileSync(resolve(import.meta.dirname, "../../docs/examples/hello.ts"), "utf8");

/** The main job. This file also runs in the second kernel, where the meter is cgroup v2. */
describe("hello", () => {
  let mayfly: System;
  beforeAll(async () => {
    mayfly = await startSystem();
  }, 300_000);
  afterAll(async () => {
    expect(await mayfly?.stop()).toBe(0);
  }, 60_000);

  it("is deployed, answers by its URL, and has a bill with counters of this kernel", async () => {
    const deployed = await mayfly.deploy("greet", HELLO);
    expect([deployed.status, await deployed.json()]).toMatchObject([
      201,
      { function: "greet", version: 1, contract: "fetch" },
    ]);
    const answer = await mayfly.call("greet?name=Ada");
    expect([answer.status, await answer.text()]).toEqual([200, "Hello, Ada!\n"]);
    const record = await mayfly.record(answer);
    const wanted = process.env.MAYFLY_EXPECT_CGROUP ?? "v1";
    expect(record.bill.meter.cgroup).toBe(wanted);
    expect(record).toMatchObject({ status: "succeeded", http_status: 200, function: "greet", version: 1 });
    // The second kernel counts CPU in ticks of 10 ms: a short call may have had none of them there.
    expect(record.bill.usage.cpu_us).toBeGreaterThanOrEqual(wanted === "v1" ? 1_000 : 0);
    expect(record.bill.usage.cpu_us).not.toBeNull();
    expect(record.bill.usage.memory_peak_bytes).toBeGreaterThan(100_000);
    for (const [name, value] of Object.entries(record.bill.usage)) {
      expect(value === null, name).toBe(record.bill.meter.missing.includes(name));
    }
  });

  it("has a bill whose lines sum to its total", async () => {
    const record = await mayfly.record(await mayfly.call("greet"));
    const pico = (amount: string) => BigInt(amount.replace(".", ""));
    const sum = record.bill.lines.reduce((total, line) => total + pico(line.amount), 0n);
    expect(sum).toBe(pico(record.bill.total.amount));
    expect(sum).toBeGreaterThan(0n);
  });
});
