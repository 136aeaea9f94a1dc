import { describe, expect, it } from "vitest";
import { checkLimits, checkPeriod, cpuQuota, sharesOfWeight } from "./limits.ts";

describe("limits", () => {
  it.each([
    [1000, 100_000, 100_000, 100_000],
    [500, 100_000, 50_000, 100_000],
    [2500, 100_000, 250_000, 100_000],
    [500, 5000, 2500, 5000],
    [50, 5000, 1000, 20_000],
  ])("%i thousandths over %i us are %i us in %i us", (millis, period, quota_us, period_us) => {
    expect(cpuQuota(millis, period)).toEqual({ quota_us, period_us });
  });

  it("maps weights to shares in proportion and within the kernel's range", () => {
    expect([1, 100, 200, 10_000].map(sharesOfWeight)).toEqual([10, 1024, 2048, 102_400]);
  });

  it.each([
    { memory_bytes: 0 },
    { cpu_millis: -1 },
    { pids: 1.5 },
    { cpu_weight: 10_001 },
    { memory_bytes: Number.NaN },
  ])("refuses %o", (bad) => {
    expect(() => checkLimits({ memory_bytes: 1, cpu_millis: 1, cpu_weight: 1, pids: 1, ...bad })).toThrow(RangeError);
  });

  it("refuses a period the kernel would refuse", () => {
    expect(() => checkPeriod(999)).toThrow(RangeError);
    expect(() => checkPeriod(1_000_001)).toThrow(RangeError);
    expect(checkPeriod(5000)).toBe(5000);
  });
});
