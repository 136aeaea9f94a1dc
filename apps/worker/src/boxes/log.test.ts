import { appendFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FRAME, type Frame } from "@mayfly/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BoxLog } from "./log.ts";

const PART_BYTES = 1000;

describe("the log of a kept box", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "mayfly-box-log-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = () => new BoxLog(folder, PART_BYTES);
  const bytes = (text: string) => Buffer.from(text);
  const said = ({ type, payload }: Frame) => `${type === FRAME.DATA ? "out" : "err"} ${Buffer.from(payload)}`;
  const read = async (log: BoxLog) => (await Array.fromAsync(log.read(null))).map(said);

  it("gives what was written, byte for byte, each output to its own, after a restart as well", async () => {
    const log = open();
    expect(await read(log)).toEqual([]);
    log.append(FRAME.DATA, bytes("one\nhalf a li"));
    log.append(FRAME.STDERR, bytes("\x00\xff"));
    log.append(FRAME.DATA, bytes(""));
    log.close();
    const again = open();
    again.append(FRAME.DATA, bytes("ne"));
    expect(await read(again)).toEqual(["out one\nhalf a li", "err \x00\xff", "out ne"]);
  });

  it.each([1, 4, 7])("leaves out what a killed worker had half written (%i bytes of a frame)", async (length) => {
    const log = open();
    log.append(FRAME.DATA, bytes("whole"));
    appendFileSync(join(folder, "log"), Buffer.from([FRAME.DATA, 0, 0, 0, 9, 65, 66, 67]).subarray(0, length));
    const again = open();
    again.append(FRAME.DATA, bytes("after"));
    expect(await read(again)).toEqual(["out whole", "out after"]);
  });

  it("keeps the latest output of a box that writes without end, and little more", async () => {
    const log = open();
    for (let at = 0; at < 1000; at += 1) log.append(FRAME.DATA, bytes(`line ${at}`));
    const kept = await read(log);
    expect(kept.at(-1)).toBe("out line 999");
    expect(kept.length).toBeGreaterThan(PART_BYTES / 20);
    const size = statSync(join(folder, "log")).size + statSync(join(folder, "log.old")).size;
    expect(size).toBeLessThan(2.1 * PART_BYTES);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => `out line ${1000 - kept.length + at}`));
  });

  it("is followed until its box has ended, over the turn of a file", async () => {
    const log = open();
    log.append(FRAME.DATA, bytes("before"));
    const ended = Promise.withResolvers<void>();
    const heard: string[] = [];
    const following = (async () => {
      for await (const frame of log.read(ended.promise)) heard.push(said(frame));
    })();
    for (let at = 0; at < 200; at += 1) {
      log.append(FRAME.STDERR, bytes(`line ${at}`));
      // Not faster than it is read: what is no longer kept would be lost.
      while (heard.length < at) await new Promise(setImmediate);
    }
    ended.resolve();
    await following;
    expect(heard).toEqual(["out before", ...Array.from({ length: 200 }, (_, at) => `err line ${at}`)]);
  });
});
