import { FRAME, FrameError } from "@mayfly/contract";
import type { Lane } from "./lane.ts";

/** The body of one exchange, at the courier's end: asked for as often as it must be sent, and always read to its end. */
export class UploadBody {
  readonly #lane: Lane;
  #ended = true;
  /** One reader at a time, whoever else is still waiting. */
  #turn: Promise<Uint8Array | null> = Promise.resolve(null);

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  /** From its first byte on. */
  async *open(): AsyncGenerator<Uint8Array> {
    await this.drain();
    this.#ended = false;
    await this.#lane.bytes(FRAME.GO);
    for (let chunk = await this.#pull(); chunk !== null; chunk = await this.#pull()) yield chunk;
  }

  /** Reads what nobody wants any more. */
  async drain(): Promise<void> {
    while ((await this.#pull()) !== null);
  }

  #pull(): Promise<Uint8Array | null> {
    this.#turn = this.#turn.then(() => this.#next());
    return this.#turn;
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#ended) return null;
    const frame = await this.#lane.next();
    if (frame?.type === FRAME.DATA) return frame.payload;
    this.#ended = true;
    if (frame?.type !== FRAME.END) throw new FrameError("a body broke off");
    return null;
  }
}
