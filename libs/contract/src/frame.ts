/**
 * The frames that run over the two byte streams of an invocation: gateway ↔ worker (the data channel) and
 * worker ↔ box (a socketpair, descriptor 3 in the box). One codec serves both, so a body crosses the worker unchanged.
 *
 *   u8 type | u32 length, big endian | payload
 *
 * Pure: no I/O here. A body travels as DATA frames and ends with END; backpressure is the stream's own.
 */
export const FRAME = {
  /** JSON. First frame on a data channel: who is calling and why (`Hello`). */
  HELLO: 1,
  /** JSON. Answer to HELLO: go on, or this work is no longer wanted. */
  GO: 2,
  /** Worker → box: JSON `BoxInit`; the box loads user code only after it. */
  INIT: 3,
  /** Box → worker: JSON `BoxReady`; user code is loaded. */
  READY: 4,
  /** JSON head of a request (towards the box) or of a response (towards the client). */
  HEAD: 5,
  /** Bytes of a body. */
  DATA: 6,
  /** End of a body. Payload empty. */
  END: 7,
  /** JSON `{code,message,…}`: the work ended otherwise than by an answer. Nothing follows. */
  ERROR: 8,
  /** Gateway → worker: the client has gone, stop. Payload empty. */
  CANCEL: 9,
  /** JSON: a record of a build's log, or of the outbox. */
  RECORD: 10,
  /** JSON: what a RECORD that asked for it came to. */
  ACK: 11,
  /** Bytes that a kept box wrote to its standard error; DATA is what it wrote to its standard output. */
  STDERR: 12,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly type: FrameType;
  readonly payload: Uint8Array;
}

export const FRAME_HEADER_BYTES = 5;
/** DATA is cut into pieces no larger than this; a larger frame of any type is a protocol error. */
export const FRAME_MAX_BYTES = 1024 * 1024;
const KNOWN = new Set<number>(Object.values(FRAME));

export class FrameError extends Error {
  override name = "FrameError";
}

export function encodeHeader(type: FrameType, length: number): Uint8Array {
  const head = new Uint8Array(FRAME_HEADER_BYTES);
  head[0] = type;
  new DataView(head.buffer).setUint32(1, length);
  return head;
}

/** @throws FrameError when the payload is larger than FRAME_MAX_BYTES. */
export function encodeFrame(type: FrameType, payload: Uint8Array): Uint8Array {
  if (payload.byteLength > FRAME_MAX_BYTES)
    throw new FrameError(`a frame of ${payload.byteLength} bytes is over ${FRAME_MAX_BYTES}`);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength);
  frame.set(encodeHeader(type, payload.byteLength));
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

export const encodeJson = (type: FrameType, value: unknown): Uint8Array =>
  encodeFrame(type, new TextEncoder().encode(JSON.stringify(value)));

export function decodeJson(frame: Frame): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(frame.payload));
  } catch (cause) {
    throw new FrameError(`frame ${frame.type} does not hold JSON`, { cause });
  }
}

/**
 * Splits a byte stream into frames. `push` returns the frames that became whole; it keeps the rest.
 * Payloads are views where they can be: use or copy them before the chunk is reused.
 * @throws FrameError on an unknown type or an oversized frame: the stream cannot be trusted any further.
 */
export class FrameDecoder {
  #chunks: Uint8Array[] = [];
  #size = 0;

  push(chunk: Uint8Array): Frame[] {
    if (chunk.byteLength > 0) {
      this.#chunks.push(chunk);
      this.#size += chunk.byteLength;
    }
    const frames: Frame[] = [];
    while (this.#size >= FRAME_HEADER_BYTES) {
      const head = this.#peek(FRAME_HEADER_BYTES);
      const type = head[0]!;
      const length = new DataView(head.buffer, head.byteOffset, FRAME_HEADER_BYTES).getUint32(1);
      if (!KNOWN.has(type)) throw new FrameError(`unknown frame type ${type}`);
      if (length > FRAME_MAX_BYTES) throw new FrameError(`a frame of ${length} bytes is over ${FRAME_MAX_BYTES}`);
      if (this.#size < FRAME_HEADER_BYTES + length) break;
      this.#take(FRAME_HEADER_BYTES);
      frames.push({ type: type as FrameType, payload: this.#take(length) });
    }
    return frames;
  }

  /** Bytes of a frame that has begun and is not whole: 0 when the stream may end here. */
  get pending(): number {
    return this.#size;
  }

  /** The next `length` bytes, of those that are here: a view when they came in one chunk, else a copy of no more than them. */
  #peek(length: number): Uint8Array {
    const first = this.#chunks[0]!;
    if (first.byteLength >= length) return first.subarray(0, length);
    const whole = new Uint8Array(length);
    let at = 0;
    for (const chunk of this.#chunks) {
      if (at === length) break;
      const part = chunk.subarray(0, length - at);
      whole.set(part, at);
      at += part.byteLength;
    }
    return whole;
  }

  #take(length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0);
    const taken = this.#peek(length);
    this.#size -= length;
    let [used, left] = [0, length];
    for (; used < this.#chunks.length && this.#chunks[used]!.byteLength <= left; used += 1) {
      left -= this.#chunks[used]!.byteLength;
    }
    this.#chunks.splice(0, used);
    if (left > 0) this.#chunks[0] = this.#chunks[0]!.subarray(left);
    return taken;
  }
}
