import { once } from "node:events";
import type { Duplex } from "node:stream";
import { encodeHeader, encodeJson, type Frame, FrameDecoder, type FrameType } from "@mayfly/contract";
import { passed } from "../../bytes/collect.ts";

/** Frames that are waited for in one order and sent in one order, over a socket that two processes share. */
export class Lane {
  readonly #socket: Duplex;
  readonly #decoder = new FrameDecoder();
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #frames: Frame[] = [];

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
    socket.on("error", () => {}); // Whoever reads or writes next hears of it.
  }

  /** Null: the other side has closed it. @throws FrameError */
  async next(): Promise<Frame | null> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      const { value, done } = await this.#chunks.next().catch(() => ({ value: undefined, done: true }));
      if (done) return null;
      passed(value!.byteLength);
      this.#frames.push(...this.#decoder.push(value!));
    }
  }

  async json(type: FrameType, value: unknown): Promise<void> {
    await this.#write(encodeJson(type, value));
  }

  async bytes(type: FrameType, payload: Uint8Array = new Uint8Array(0)): Promise<void> {
    // Both in one call to the system.
    this.#socket.cork();
    this.#socket.write(encodeHeader(type, payload.byteLength));
    const sent = this.#write(payload);
    this.#socket.uncork();
    await sent;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What the other side does not read is waited for; what it will never read is lost. */
  async #write(bytes: Uint8Array): Promise<void> {
    passed(bytes.byteLength);
    if (this.#socket.write(bytes) || this.#socket.destroyed) return;
    const given = new AbortController();
    const { signal } = given;
    const closed = once(this.#socket, "close", { signal }).catch(() => {});
    await Promise.race([once(this.#socket, "drain", { signal }).catch(() => {}), closed]);
    given.abort();
  }
}
