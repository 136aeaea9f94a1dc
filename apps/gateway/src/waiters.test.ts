import { describe, expect, it } from "vitest";
import { Waiters } from "./waiters.ts";

const elapsed = async (wait: Promise<void>): Promise<number> => {
  const began = performance.now();
  await wait;
  return performance.now() - began;
};

describe("who waits for something", () => {
  it("is told, and so is everybody who waits for the same", async () => {
    const waiters = new Waiters();
    const all = Promise.all([elapsed(waiters.wait("a", 5_000)), elapsed(waiters.wait("a", 5_000))]);
    waiters.tell("b");
    waiters.tell("a");
    for (const ms of await all) expect(ms).toBeLessThan(1_000);
  });

  it("waits no longer than it said", async () => {
    expect(await elapsed(new Waiters().wait("a", 50))).toBeGreaterThan(40);
  });

  it("stops when its signal fires, before and while it waits", async () => {
    const waiters = new Waiters();
    const stop = new AbortController();
    const waiting = elapsed(waiters.wait("a", 5_000, stop.signal));
    stop.abort();
    expect(await waiting).toBeLessThan(1_000);
    expect(await elapsed(waiters.wait("a", 5_000, stop.signal))).toBeLessThan(1_000);
  });
});
