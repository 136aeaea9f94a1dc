import type { Duplex } from "node:stream";
import { encodeHeader, FRAME_MAX_BYTES, type Frame, FrameDecoder, type FrameType } from "@mayfly/contract";

const NOTHING = new Uint8Array(0);

/**
 * Frames over a byte stream: a socket between gateway and worker, or between worker and box. Reading is by pull, so a reader that
 * stops reading stops the sender; a send resolves when there is room again. A peer that breaks off or talks nonsense ends the
 * channel: `frames` is done and `closed` resolves; nothing is thrown out of turn.
 */
export class FrameChannel {
  readonly #stream: Duplex;
  readonly #decoder = new FrameDecoder();
  readonly #ready: Frame[] = [];
  #ended = false;
  #wake: (() => void) | null = null;
  /** Resolves when the peer has closed its side or the stream is gone. */
  readonly closed: Promise<void>;
  /** Why the channel ended when it did not end in order. */
  error: Error | null = null;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.closed = new Promise((resolve) => {
      const end = () => {
        this.#ended = true;
        this.#wake?.();
        resolve();
      };
      stream.once("end", end);
      stream.once("close", end);
      stream.on("error", (error) => {
        this.error ??= error;
        end();
      });
    });
    stream.on("readable", () => this.#wake?.());
  }

  /** Sends one frame. A payload over FRAME_MAX_BYTES goes as several. @throws Error when the peer is gone */
  async send(type: FrameType, payload: Uint8Array = NOTHING): Promise<void> {
    for (let at = 0; at === 0 || at < payload.byteLength; at += FRAME_MAX_BYTES) {
      const part = payload.subarray(at, at + FRAME_MAX_BYTES);
      this.#stream.cork();
      this.#stream.write(encodeHeader(type, part.byteLength));
      const room = part.byteLength === 0 || this.#stream.write(part);
      this.#stream.uncork();
      if (!room || this.#stream.writableNeedDrain) await this.#drained();
      if (this.#stream.destroyed) throw new Error("the channel is closed", { cause: this.error ?? undefined });
    }
  }

  sendJson(type: FrameType, value: unknown): Promise<void> {
    return this.send(type, Buffer.from(JSON.stringify(value)));
  }

  /** Sends bytes that are frames already. */
  async sendRaw(bytes: Uint8Array): Promise<void> {
    if (!this.#stream.write(bytes)) await this.#drained();
    if (this.#stream.destroyed) throw new Error("the channel is closed", { cause: this.error ?? undefined });
  }

  /** What the peer sends, by pull. Leaving a loop over it keeps the rest for the next one. */
  readonly frames: AsyncIterable<Frame> = {
    [Symbol.asyncIterator]: () => ({
      next: async (): Promise<IteratorResult<Frame, undefined>> => {
        const frame = await this.#next();
        return frame ? { value: frame, done: false } : { value: undefined, done: true };
      },
    }),
  };

  /** Ends our side in order: what was sent still arrives. */
  close(): void {
    if (this.#stream.destroyed) return;
    this.#stream.end();
    // What still comes is thrown away, so that the peer's own end is seen.
    this.#stream.removeAllListeners("readable");
    this.#stream.resume();
    // A peer that never closes its side must not hold ours.
    const destroyer = setTimeout(() => this.#stream.destroy(), 5_000);
    destroyer.unref();
    this.#stream.once("close", () => clearTimeout(destroyer));
  }

  destroy(): void {
    this.#stream.destroy();
  }

  async #next(): Promise<Frame | null> {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready) return ready;
      if (!this.#pull()) {
        if (this.#ended || this.#stream.destroyed) return null;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    }
  }

  /** Decodes what has arrived. False: nothing had. */
  #pull(): boolean {
    const chunk = this.#stream.read() as Uint8Array | null;
    if (chunk === null) return false;
    try {
      this.#ready.push(...this.#decoder.push(chunk));
    } catch (error) {
      this.error = error as Error;
      this.#ended = true;
      this.#stream.destroy();
      return false;
    }
    return true;
  }

  #drained(): Promise<void> {
    if (this.#stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#stream.off("drain", done);
        this.#stream.off("close", done);
        resolve();
      };
      this.#stream.once("drain", done);
      this.#stream.once("close", done);
    });
  }
}
