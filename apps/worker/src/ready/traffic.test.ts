import { describe, expect, it } from "vitest";
import { RecentCalls } from "./traffic.ts";

/** Calls that begin at these milliseconds, each ending at once. */
function called(...at: number[]): RecentCalls {
  const calls = new RecentCalls();
  for (const ms of at) {
    calls.begun(ms);
    calls.ended();
  }
  return calls;
}

describe("boxes wait for a version", () => {
  it("not at all before it is called, or after a single call", () => {
    expect(new RecentCalls().wanted(0)).toBe(0);
    expect(called(1_000).wanted(1_001)).toBe(0);
  });
  it("one when it is called again within half a minute, for half a minute", () => {
    expect(called(0, 20_000).wanted(20_001)).toBe(1);
    expect(called(0, 20_000).wanted(50_000)).toBe(1);
    expect(called(0, 20_000).wanted(50_001)).toBe(0);
    expect(called(0, 40_000).wanted(40_001)).toBe(0);
  });
  it("as many as ran at once in the last ten seconds, at most eight", () => {
    const calls = new RecentCalls();
    for (let i = 0; i < 3; i += 1) calls.begun(i);
    expect(calls.wanted(10)).toBe(3);
    for (let i = 0; i < 20; i += 1) calls.begun(20 + i);
    expect(calls.wanted(50)).toBe(8);
    for (let i = 0; i < 23; i += 1) calls.ended();
    expect(calls.wanted(10_100)).toBe(1);
  });
  it("and it is remembered while it runs or may be called again", () => {
    const calls = called(0);
    expect(calls.isForgotten(30_000)).toBe(false);
    expect(calls.isForgotten(30_001)).toBe(true);
    calls.begun(31_000);
    expect(calls.isForgotten(99_000)).toBe(false);
  });
});
