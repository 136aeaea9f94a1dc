import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

/** A function that tells what it is and leaves what a later call must not find. */
const SOURCE = `
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { randomUUID, randomBytes } from "node:crypto";
export default () => {
  const found = [existsSync("/tmp/left"), "left" in globalThis].filter(Boolean).length;
  writeFileSync("/tmp/left", "x"); globalThis.left = 1; setInterval(() => {}, 1000);
  const status = readFileSync("/proc/self/status", "utf8");
  const of = (name) => status.match(new RegExp("^" + name + ":[ \\\\t]*(.*)$", "m"))?.[1];
  return Response.json({ found, pid: process.pid, uid: process.getuid(), cwd: process.cwd(), argv: process.argv[1], host: process.env.HOSTNAME,
    caps: [of("CapEff"), of("CapPrm"), of("CapBnd"), of("CapInh"), of("CapAmb")], nnp: of("NoNewPrivs"), seccomp: of("Seccomp"), groups: of("Groups"),
    invocation: process.env.MAYFLY_INVOCATION, custom: process.env.CUSTOM,
    random: [Math.random(), randomUUID(), randomBytes(8).toString("hex")] });
};`;

let mayfly: System;
beforeAll(async () => {
  mayfly = await startSystem({ MAYFLY_READY_MEMORY: "0" });
  expect((await mayfly.deploy("fn", SOURCE, "env.CUSTOM=yes")).status).toBe(201);
  expect((await mayfly.deploy("stuck", "export default () => { for (;;) {} }", "timeout=1s")).status).toBe(201);
  expect(
    (await mayfly.deploy("hog", "const a = []; export default () => { for (;;) a.push(Buffer.alloc(1e6, 1)); }"))
      .status,
  ).toBe(201);
  expect((await mayfly.deploy("exit", "export default () => process.exit(7)")).status).toBe(201);
  expect(await startOf("fn", 60_000)).toBe("forked");
}, 300_000);
afterAll(() => mayfly?.stop());

/** How a call's runtime came into its box, once it is forked or the time is over. */
async function startOf(name: string, boundMs: number): Promise<string | null> {
  const end = performance.now() + boundMs;
  for (;;) {
    const record = await mayfly.record(await mayfly.call(name));
    if (record.start === "forked" || performance.now() > end) return record.start;
    await sleep(500);
  }
}

const zeros = "0".repeat(16);

describe("a forked runtime", () => {
  it("reads the code that V8 compiled when the module was built", async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => `export function f${i}(x) { return x.a + ${i} * f0(x); }`);
    const source = `import { getCompileCacheDir } from "node:module"; import { basename } from "node:path";
      import { readdirSync } from "node:fs";
      ${many.join("\n")}
      export default () => Response.json({ used: basename(getCompileCacheDir() ?? ""), kept: readdirSync("/app/.compiled") });`;
    expect((await mayfly.deploy("large", source, "env.NODE_DEBUG_NATIVE=COMPILE_CACHE")).status).toBe(201);
    const answer = await mayfly.call("large");
    const seen = (await answer.clone().json()) as { used: string; kept: string[] };
    // V8 takes what was kept by the same version with the same flags and user, and a fork has them all.
    expect(seen.kept).toEqual([seen.used]);
    expect(seen.used).toContain(process.version);
    expect(await mayfly.record(answer)).toMatchObject({ start: "forked" });
  }, 60_000);

  it("is in its box without privileges, as a booted one is", async () => {
    const answer = await mayfly.call("fn");
    const seen = (await answer.json()) as Record<string, unknown>;
    expect(seen).toMatchObject({
      uid: 1000,
      cwd: "/app",
      argv: "/mayfly/runner.mjs",
      custom: "yes",
      nnp: "1",
      groups: "",
    });
    expect(seen.caps).toEqual([zeros, zeros, zeros, zeros, zeros]);
    expect(seen.seccomp).toBe("2");
    expect(seen.invocation).toBe(answer.headers.get("mayfly-invocation"));
    expect((await mayfly.record(answer)).start).toBe("forked");
  });

  it("finds nothing of an earlier call and draws no number again, 20 of 20", async () => {
    const seen: { found: number; random: unknown[] }[] = [];
    for (let i = 0; i < 20; i += 1) seen.push((await (await mayfly.call("fn")).json()) as (typeof seen)[number]);
    expect(seen.map(({ found }) => found)).toEqual(seen.map(() => 0));
    expect(new Set(seen.flatMap(({ random }) => random)).size).toBe(60);
  });

  it("is ended at its deadline, for want of memory, and by itself, with a bill", async () => {
    for (const [name, status, outcome] of [
      ["stuck", 504, "timeout"],
      ["hog", 502, "out_of_memory"],
      ["exit", 502, "crashed"],
    ] as const) {
      const answer = await mayfly.call(name);
      expect([name, answer.status]).toEqual([name, status]);
      const record = await mayfly.record(answer);
      expect([record.status, record.start]).toEqual([outcome, "forked"]);
      expect(record.bill.usage.cpu_us).toBeGreaterThan(0);
    }
  });

  it("is booted in its box while there is no nursery, which comes back", async () => {
    process.kill(nursery(), "SIGKILL");
    const answer = await mayfly.call("fn");
    expect(answer.status).toBe(200);
    expect(["booted", "forked"]).toContain((await mayfly.record(answer)).start);
    expect(await startOf("fn", 60_000)).toBe("forked");
  });

  it("costs as much when its nursery is old as when it is new", async () => {
    const source =
      "export default () => { const { user, system } = process.cpuUsage(); return Response.json(user + system); };";
    expect((await mayfly.deploy("cost", source)).status).toBe(201);
    process.kill(nursery(), "SIGKILL");
    expect(await startOf("cost", 60_000)).toBe("forked");
    const whenNew = await leastOf(10);
    // What V8 puts off in a process that is idle is due by then: --gc-memory-reducer-start-delay-ms is 8000.
    await sleep(9_000);
    expect((await leastOf(10)) / whenNew).toBeLessThan(1.4);
  });
});

/** CPU of a fork until it is in its handler, in µs: the least of some calls. */
async function leastOf(calls: number): Promise<number> {
  const found: number[] = [];
  for (let i = 0; i < calls; i += 1) {
    const answer = await mayfly.call("cost");
    found.push((await answer.clone().json()) as number);
    expect((await mayfly.record(answer)).start).toBe("forked");
  }
  return Math.min(...found);
}

/** Host pid of the nursery: the launcher's child that runs its program. Its forks are its own children, not the launcher's. */
function nursery(): number {
  const worker = mayfly.pid("worker")!;
  for (const launcher of childrenOf(worker)) {
    for (const pid of childrenOf(launcher)) {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("/mayfly/nursery.mjs")) return pid;
    }
  }
  throw new Error("there is no nursery");
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return new RegExp(`^PPid:\\s+${parent}$`, "m").test(readFileSync(`/proc/${pid}/status`, "utf8"));
      } catch {
        return false; // It ended while we looked.
      }
    });
}
