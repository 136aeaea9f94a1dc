import type { SelfTest } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { faultsOf } from "./self-test.ts";

const fork = (n: number, changes: Partial<SelfTest> = {}): SelfTest => ({
  drawn: { "Math.random": `0.${n}`, "crypto.randomUUID": `uuid-${n}` },
  pid: 2,
  uptime_s: 0.1,
  cwd: "/tmp",
  env: ["MAYFLY_SELF_TEST", "PATH"],
  timers: 0,
  listeners: [],
  ...changes,
});

describe("the comparison of forks", () => {
  it("finds nothing in forks that share nothing", () => {
    expect(faultsOf([1, 2, 3].map((n) => fork(n)))).toEqual([]);
  });

  it.each<[string, Partial<SelfTest>, string]>([
    [
      "a number that two forks draw",
      { drawn: { "Math.random": "0.1", "crypto.randomUUID": "uuid-9" } },
      "Math.random gives",
    ],
    ["the nursery's pid", { pid: 4711 }, "process.pid is 4711"],
    ["the nursery's age", { uptime_s: 3600 }, "process.uptime() is 3600 s"],
    ["the nursery's folder", { cwd: "/" }, "process.cwd() is /"],
    ["the nursery's environment", { env: ["SECRET"] }, "SECRET of the nursery"],
    ["a timer", { timers: 1 }, "1 timers"],
    ["a listener", { listeners: ["SIGTERM"] }, "listeners for SIGTERM"],
  ])("finds %s", (_, changes, fault) => {
    expect(faultsOf([fork(1), fork(2, changes)]).join()).toContain(fault);
  });
});
