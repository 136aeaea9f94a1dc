import { describe, expect, it } from "vitest";
import { newInvocationId } from "./id.ts";
import { formatBytes, formatMicros, parseBytes, parseCpu, parseDuration } from "./unit.ts";

describe("quantities", () => {
  it.each([
    ["128MiB", 134217728],
    ["128mib", 134217728],
    ["64Mi", 67108864],
    ["1GB", 1e9],
    ["4096", 4096],
    ["1.5 KiB", 1536],
    ["MiB", null],
    ["1XB", null],
    ["1 constructor", null],
  ])("%s is %s bytes", (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each([
    ["30s", 30_000],
    ["1500ms", 1500],
    ["2", 2000],
    ["1m", 60_000],
    ["soon", null],
  ])("%s is %s milliseconds", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    ["1", 1000],
    ["0.25", 250],
    ["250m", 250],
    ["-1", null],
  ])("%s is %s thousandths of a core", (text, millis) => expect(parseCpu(text)).toBe(millis));

  it("print in units a person reads", () => {
    expect([0, 1023, 1024, 1900544, 134217728].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1 KiB",
      "1.8 MiB",
      "128 MiB",
    ]);
    expect([900, 2900, 41_300, 2_500_000].map(formatMicros)).toEqual(["900 µs", "2.90 ms", "41.3 ms", "2.50 s"]);
  });
});

describe("ids", () => {
  it("sort by time and never repeat", () => {
    const ids = Array.from({ length: 1000 }, () => newInvocationId(1_700_000_000_000));
    expect(new Set(ids).size).toBe(1000);
    expect(newInvocationId(1) < newInvocationId(2)).toBe(true);
    expect(ids[0]).toMatch(/^inv_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });
});
