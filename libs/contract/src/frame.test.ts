import { describe, expect, it } from "vitest";
import { decodeJson, encodeFrame, encodeJson, FRAME, FRAME_MAX_BYTES, FrameDecoder, FrameError } from "./frame.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("frames", () => {
  it("come out as they went in, however the stream is cut", () => {
    const stream = Buffer.concat([
      encodeJson(FRAME.HEAD, { status: 200 }),
      encodeFrame(FRAME.DATA, Buffer.from("hello")),
      encodeFrame(FRAME.DATA, new Uint8Array(0)),
      encodeFrame(FRAME.END, new Uint8Array(0)),
    ]);
    for (let cut = 1; cut <= stream.byteLength; cut += 1) {
      const decoder = new FrameDecoder();
      const frames = [];
      for (let at = 0; at < stream.byteLength; at += cut) frames.push(...decoder.push(stream.subarray(at, at + cut)));
      expect(frames.map((f) => [f.type, text(f.payload)])).toEqual([
        [FRAME.HEAD, '{"status":200}'],
        [FRAME.DATA, "hello"],
        [FRAME.DATA, ""],
        [FRAME.END, ""],
      ]);
      expect(decoder.pending).toBe(0);
    }
  });

  it("of the largest size pass, and one byte more is refused on both sides", () => {
    const largest = encodeFrame(FRAME.DATA, new Uint8Array(FRAME_MAX_BYTES));
    expect(new FrameDecoder().push(largest)[0]?.payload.byteLength).toBe(FRAME_MAX_BYTES);
    expect(() => encodeFrame(FRAME.DATA, new Uint8Array(FRAME_MAX_BYTES + 1))).toThrow(FrameError);
    const forged = Buffer.from([FRAME.DATA, 0x7f, 0xff, 0xff, 0xff]);
    expect(() => new FrameDecoder().push(forged)).toThrow(/over/);
  });

  it("of an unknown type end the stream", () => {
    expect(() => new FrameDecoder().push(Buffer.from([99, 0, 0, 0, 0]))).toThrow("unknown frame type 99");
  });

  it("tell when a stream stops in the middle of one", () => {
    const decoder = new FrameDecoder();
    decoder.push(encodeFrame(FRAME.DATA, Buffer.from("hello")).subarray(0, 7));
    expect(decoder.pending).toBe(7);
  });

  it("that should hold JSON and do not are refused", () => {
    expect(() => decodeJson({ type: FRAME.HEAD, payload: Buffer.from("{") })).toThrow(FrameError);
    expect(() => decodeJson({ type: FRAME.HEAD, payload: Buffer.from([0xff, 0xfe]) })).toThrow(FrameError);
  });
});
