import { Socket } from "node:net";
import {
  encodeHeader,
  encodeJson,
  FRAME,
  FRAME_MAX_BYTES,
  type Frame,
  FrameDecoder,
  type FrameType,
} from "@mayfly/contract";

const PIECE = 64 * 1024;

/** Where frames come from. */
export interface FrameSource {
  next(): Promise<Frame | null>;
  watch(): Promise<void>;
}

/** Descriptor 3: frames to and from the worker. Reading is by pull; a write resolves when there is room. */
export class Wire implements FrameSource {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #frames: Frame[] = [];
  #ended = false;
  #wake: () => void = () => {};
  /** Called when the worker has closed its end: nobody waits for an answer any more. */
  onGone: () => void = () => {};

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
    this.#socket.on("readable", () => this.#wake());
    for (const event of ["end", "close", "error"] as const) this.#socket.once(event, () => this.#end());
  }

  /** The next frame, or null when there will be none. */
  async next(): Promise<Frame | null> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      const chunk = this.#socket.read() as Uint8Array | null;
      if (chunk) this.#frames.push(...this.#decoder.push(chunk));
      else if (this.#ended) return null;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Reads on when no more of the request is awaited, so that a caller who goes away is noticed. */
  async watch(): Promise<void> {
    while ((await this.next()) !== null) {
      // Nothing that may still come changes anything but the end.
    }
  }

  async send(type: FrameType, payload: Uint8Array): Promise<void> {
    for (let at = 0; at < payload.byteLength || at === 0; at += FRAME_MAX_BYTES) {
      const part = payload.subarray(at, at + FRAME_MAX_BYTES);
      this.#socket.cork();
      this.#socket.write(encodeHeader(type, part.byteLength));
      const room = part.byteLength === 0 || this.#socket.write(part);
      this.#socket.uncork();
      if (!room) await this.#room();
    }
  }

  async json(type: FrameType, value: unknown): Promise<void> {
    const room = this.#socket.write(encodeJson(type, value));
    if (!room) await this.#room();
  }

  /** Until what was written has gone out, or nobody takes it any more. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off("drain", done).off("close", done);
        resolve();
      };
      this.#socket.once("drain", done).once("close", done);
    });
  }

  /** Sends what is written and closes our side. */
  finish(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once("close", resolve);
      this.#socket.end(resolve);
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wake();
    this.onGone();
  }
}

/** The rest of the request, as the stream that `Request` wants. Pulls one frame at a time; a body nobody reads is never pulled. */
export function requestBody(wire: FrameSource): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const frame = await wire.next();
        if (frame?.type === FRAME.DATA && frame.payload.byteLength > 0) {
          // A copy: the stream may transfer the buffer, and ours is shared with the next frames.
          controller.enqueue(new Uint8Array(frame.payload));
        } else if (frame?.type === FRAME.END) {
          controller.close();
          void wire.watch();
        } else if (frame === null || frame.type === FRAME.CANCEL) {
          controller.error(new Error("the caller went away before the request's body was complete"));
        }
      },
    },
    { highWaterMark: 0 },
  );
}

/** Cuts what a handler produces into pieces, so that a large chunk does not sit in one frame. */
export function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += PIECE) yield bytes.subarray(at, at + PIECE);
}
