import { FIXED_LIMITS, FRAME, type Frame, formatBytes, type ImageProgress } from "@mayfly/contract";
import { ImageError } from "@mayfly/image";
import type { FrameChannel } from "@mayfly/queue";

/** What is said of a blob that moves is said this often; that it is done is always said. */
const TELL_EVERY_MS = 100;

/** The gateway at the other end of a request: what it wants, what it sends along, and whether it still waits. */
export class Requester {
  readonly channel: FrameChannel;
  readonly #frames: AsyncIterator<Frame>;
  readonly #gone = new AbortController();
  readonly #told = new Map<string, number>();

  constructor(channel: FrameChannel) {
    this.channel = channel;
    this.#frames = channel.frames[Symbol.asyncIterator]();
  }

  /** Aborts when nobody waits any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** @param read the frame as a task @param sendsMore whether frames follow a task: then whoever performs it reads them to their end */
  async task<T>(read: (frame: Frame) => T, sendsMore: (task: T) => boolean): Promise<T> {
    const task = read(await this.next());
    if (!sendsMore(task)) void this.#watch();
    return task;
  }

  /** What the gateway sends along. @throws ImageError `refused` when it is more than an image may have; Error when it breaks off */
  async *body(): AsyncGenerator<Uint8Array> {
    let size = 0;
    for (;;) {
      const { type, payload } = await this.next();
      if (type === FRAME.END) return void this.#watch();
      if (type !== FRAME.DATA) throw new Error(`a frame of type ${type} came in the middle of an archive`);
      size += payload.byteLength;
      if (size > FIXED_LIMITS.image_bytes) {
        throw new ImageError("refused", `the archive has more than ${formatBytes(FIXED_LIMITS.image_bytes)}`);
      }
      yield payload;
    }
  }

  tell(progress: ImageProgress): void {
    const now = performance.now();
    if (progress.state === "moving" && now - (this.#told.get(progress.digest) ?? 0) < TELL_EVERY_MS) return;
    this.#told.set(progress.digest, now);
    this.channel.sendJson(FRAME.RECORD, progress).catch(() => {
      // Nobody follows it any more; the work ends by `gone`.
    });
  }

  /** @throws Error when the gateway has gone; then `gone` aborts as well */
  async next(): Promise<Frame> {
    const { value, done } = await this.#frames.next();
    if (!done) return value;
    this.#gone.abort(new Error("the gateway broke off"));
    throw this.#gone.signal.reason;
  }

  async #watch(): Promise<void> {
    try {
      for (;;) await this.next();
    } catch {
      // That is what was waited for.
    }
  }
}
