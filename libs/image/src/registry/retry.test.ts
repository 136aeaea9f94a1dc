import { describe, expect, it } from "vitest";
import { retryAfterMs, Unavailable } from "./failure.ts";
import { backOffMs, retrying } from "./retry.ts";

const POLICY = { attempts: 3, first_ms: 1, most_ms: 4, longest_wait_ms: 1_000 };
const NEVER = new AbortController().signal;

describe("trying again", () => {
  it("waits twice as long each time, up to a bound, and never less than was asked for", () => {
    const policy = { ...POLICY, first_ms: 100, most_ms: 1_000 };
    expect([1, 2, 3, 4, 5].map((n) => backOffMs(n, 0, policy, 1))).toEqual([100, 200, 400, 800, 1000]);
    expect(backOffMs(1, 0, policy, 0)).toBe(50);
    expect(backOffMs(1, 5_000, policy, 0)).toBe(5_000);
  });

  it("ends with what went wrong last", async () => {
    let tries = 0;
    const work = async () => {
      tries += 1;
      throw new Unavailable(`try ${tries}`);
    };
    await expect(retrying(work, POLICY, NEVER)).rejects.toThrow("try 3; 3 tries came to nothing, try again later");
    expect(tries).toBe(3);
  });

  it("is not for what will not get better", async () => {
    let tries = 0;
    const work = async () => {
      tries += 1;
      throw new Error("for good");
    };
    await expect(retrying(work, POLICY, NEVER)).rejects.toThrow("for good");
    expect(tries).toBe(1);
  });

  it("ends when it is told to, in the middle of a wait", async () => {
    const stop = new AbortController();
    const work = async () => {
      setTimeout(() => stop.abort(new Error("enough")), 10);
      throw new Unavailable("busy", { wait_ms: 900 });
    };
    const began = performance.now();
    await expect(retrying(work, POLICY, stop.signal)).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(800);
  });

  it("reads Retry-After in both forms", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(
      ["7", "Thu, 01 Jan 2026 00:00:09 GMT", "Wed, 31 Dec 2025 00:00:00 GMT", "soon", null].map((text) =>
        retryAfterMs(text, now),
      ),
    ).toEqual([7_000, 9_000, 0, 0, 0]);
  });
});
