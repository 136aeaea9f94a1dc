import { duplexPair } from "node:stream";
import { FRAME, FRAME_MAX_BYTES } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { FrameChannel } from "./frame-channel.ts";
import { receiveRecords, sendRecord } from "./record.ts";

const pair = () => duplexPair().map((end) => new FrameChannel(end)) as [FrameChannel, FrameChannel];

describe("a record", () => {
  it("arrives whole whatever its size, with others before and after it", async () => {
    const [a, b] = pair();
    const sizes = [0, 10, FRAME_MAX_BYTES - 11, FRAME_MAX_BYTES, FRAME_MAX_BYTES + 1, 5 * FRAME_MAX_BYTES, 3];
    void (async () => {
      for (const size of sizes) await sendRecord(a, { text: "x".repeat(size) });
      a.close();
    })();
    const got: number[] = [];
    for await (const record of receiveRecords(b)) got.push((record as { text: string }).text.length);
    expect(got).toEqual(sizes);
  });

  it("is refused when it comes as another frame", async () => {
    const [a, b] = pair();
    await a.sendJson(FRAME.HEAD, {});
    await expect(receiveRecords(b).next()).rejects.toThrow("where a record was expected");
    a.destroy();
    b.destroy();
  });

  it("that breaks off is none", async () => {
    const [a, b] = pair();
    await a.send(FRAME.DATA, Buffer.from('{"half":'));
    a.close();
    expect(await receiveRecords(b).next()).toEqual({ value: undefined, done: true });
  });
});
