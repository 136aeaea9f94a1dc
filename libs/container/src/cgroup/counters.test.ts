import { describe, expect, it } from "vitest";
import { blkioSum, flatKeyed, nestedKeyedSum, nsToUs, single } from "./counters.ts";

describe("counter files", () => {
  it("reads flat keyed lines by their whole name", () => {
    const text = "usage_usec 1234\nuser_usec 1000\nnr_throttled 7\n";
    expect(flatKeyed(text, "usage_usec")).toBe(1234);
    expect(flatKeyed(text, "nr_throttled")).toBe(7);
    expect(flatKeyed("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "oom_kill")).toBe(2);
  });

  it("gives null, not 0, for what is not there", () => {
    expect(flatKeyed("usage_usec 1\n", "usage")).toBeNull();
    expect(flatKeyed(null, "usage_usec")).toBeNull();
    expect([
      single(null),
      single("max\n"),
      nestedKeyedSum(null, "rbytes"),
      blkioSum(null, "Read"),
      nsToUs(null),
    ]).toEqual([null, null, null, null, null]);
  });

  it("sums io over devices and counts an empty file as none", () => {
    const io = "8:16 rbytes=1459200 wbytes=314 rios=192 wios=353\n8:0 rbytes=800 wbytes=6 rios=1 wios=1\n";
    expect(nestedKeyedSum(io, "rbytes")).toBe(1460000);
    expect(nestedKeyedSum(io, "wbytes")).toBe(320);
    expect(nestedKeyedSum("", "rbytes")).toBe(0);
    const blkio = "254:0 Read 4096\n254:0 Write 512\n254:0 Sync 4608\n7:0 Read 4\n254:0 Total 4612\nTotal 4612\n";
    expect(blkioSum(blkio, "Read")).toBe(4100);
    expect(blkioSum(blkio, "Write")).toBe(512);
    expect(blkioSum("Total 0\n", "Read")).toBe(0);
  });

  it("rounds nanoseconds down", () => {
    expect(nsToUs(1999)).toBe(1);
  });
});
