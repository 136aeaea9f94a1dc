import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

const MiB = 1024 * 1024;

const STARTS = [
  ["booted", { MAYFLY_NURSERY: "off", MAYFLY_READY_MEMORY: "0" }],
  ["forked", { MAYFLY_READY_MEMORY: "0" }],
  ["forked, or made ready before", {}],
] as const;

describe.each(STARTS)("a bill, where runtimes are %s,", (_how, env) => {
  let mayfly: System;
  beforeAll(async () => {
    mayfly = await startSystem(env);
  }, 300_000);
  afterAll(() => mayfly?.stop(), 60_000);

  const deploy = async (name: string, body: string, query = "") => {
    const answer = await mayfly.deploy(name, `export default async function (request: Request) { ${body} }`, query);
    expect(answer.status, await answer.clone().text()).toBe(201);
  };

  it("of 200 ms of CPU says 200 ms, within 10 %", async () => {
    await deploy(
      "burn",
      `const end = process.cpuUsage().user + process.cpuUsage().system + 200_000;
      for (;;) { const now = process.cpuUsage(); if (now.user + now.system >= end) break; } return new Response("burnt");`,
    );
    await deploy("rest", 'return new Response("rested");');
    const cpuOf = async (name: string) => (await mayfly.record(await mayfly.call(name))).bill.usage.cpu_us!;
    // Medians: what else the machine does makes a single call dearer or cheaper.
    const usual = async (name: string) => {
      const bills = [await cpuOf(name), await cpuOf(name), await cpuOf(name)];
      return bills.sort((a, b) => a - b)[1]!;
    };
    // What a call costs that does nothing is not the burn's: on a slow machine it is a tenth of it.
    const burnt = (await usual("burn")) - (await usual("rest"));
    expect(burnt).toBeGreaterThan(180_000);
    expect(burnt).toBeLessThan(220_000);
  });

  it("of 64 MiB touched says a peak between 64 and 80 MiB", async () => {
    await deploy("touch", `const bytes = Buffer.alloc(${64 * MiB}, 1); return new Response(String(bytes.length));`);
    const record = await mayfly.record(await mayfly.call("touch"));
    expect(record.bill.usage.memory_peak_bytes).toBeGreaterThanOrEqual(64 * MiB);
    expect(record.bill.usage.memory_peak_bytes).toBeLessThanOrEqual(80 * MiB);
  });

  it("is written for a function that runs out of memory, which is a 502", async () => {
    await deploy(
      "hog",
      `const all = []; for (let i = 0; i < 256; i++) all.push(Buffer.alloc(${MiB}, i)); return new Response(String(all.length));`,
      "memory=128MiB",
    );
    const answer = await mayfly.call("hog");
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([502, "out_of_memory"]);
    const record = await mayfly.record(answer);
    expect(record.status).toBe("out_of_memory");
    expect(record.bill.usage.oom_kills).toBeGreaterThan(0);
    expect(record.bill.lines.length).toBeGreaterThan(0);
  });

  it("is written for an endless loop, which is a 504 at its deadline, and nothing of it lives on", async () => {
    await deploy("spin", `for (;;) {}`, "timeout=1s");
    const began = performance.now();
    const answer = await mayfly.call("spin");
    const took = performance.now() - began;
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([504, "timeout"]);
    expect(took).toBeGreaterThanOrEqual(1000);
    expect(took).toBeLessThan(1300);
    const record = await mayfly.record(answer);
    expect(record.status).toBe("timeout");
    const again = await mayfly.record(record.id);
    expect(again.bill.usage.cpu_us).toBe(record.bill.usage.cpu_us);
    expect(boxProcesses(record.id)).toEqual([]);
  });

  it("of a function that throws is there, with the user's file and line in the log", async () => {
    const source = [
      "// first line",
      "function deep(): never {",
      "  throw new Error('told you');",
      "}",
      "export default () => deep();",
    ].join("\n");
    expect((await mayfly.deploy("boom", source)).status).toBe(201);
    const answer = await mayfly.call("boom");
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([500, "function_error"]);
    const record = await mayfly.record(answer);
    expect(record.status).toBe("function_error");
    expect(await mayfly.log(record.id)).toMatch(/told you[\s\S]*index\.ts:3:9/);
  });

  it("chains to the one before it", async () => {
    const first = await mayfly.record(await mayfly.call("boom"));
    const second = await mayfly.record(await mayfly.call("boom"));
    expect(second.bill.ledger.seq).toBe(first.bill.ledger.seq + 1);
    expect(second.bill.ledger.prev).toBe(first.bill.ledger.hash);
  });
});

/** Pids of every process whose cgroup is named after the invocation. */
function boxProcesses(id: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(id);
      } catch {
        return false;
      }
    });
}
