import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { LogCapture } from "./log-capture.ts";

async function capture(cap: number, ...chunks: (string | Buffer)[]): Promise<LogCapture> {
  const log = new LogCapture(cap, () => 7);
  const source = new PassThrough();
  log.attach("stdout", source);
  for (const chunk of chunks) source.write(chunk);
  source.end();
  source.once("end", () => source.destroy());
  await log.settled();
  return log;
}

describe("a captured log", () => {
  it("is cut at line ends, wherever the chunks were cut", async () => {
    const log = await capture(1000, "on", "e\ntwo\nth", "ree");
    expect(log.lines.map((line) => line.text)).toEqual(["one", "two", "three"]);
  });

  it("keeps characters whole that two chunks share", async () => {
    const euro = Buffer.from("€\n");
    const log = await capture(1000, euro.subarray(0, 1), euro.subarray(1));
    expect(log.lines[0]?.text).toBe("€");
  });

  it("stops at its cap, counts what it drops, and goes on reading", async () => {
    const log = await capture(10, "0123456789ABC", "D".repeat(100_000));
    expect(log.lines.map((line) => line.text)).toEqual(["0123456789"]);
    expect(log.totalBytes).toBe(100_013);
    expect(log.droppedBytes).toBe(100_003);
  });

  it("of nothing but line ends is bounded in lines as well", async () => {
    const log = await capture(64 * 1000, "\n".repeat(60_000));
    expect(log.lines.length).toBeLessThanOrEqual(1001);
  });

  it("cuts a line that never ends", async () => {
    const log = await capture(1_000_000, "x".repeat(40_000));
    expect(log.lines.map((line) => line.text.length)).toEqual([16_384, 16_384, 7_232]);
  });
});
