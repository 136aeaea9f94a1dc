/** Fires when nothing has moved for a while. */
export class Stall {
  readonly #abort = new AbortController();
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
    this.moved();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get message(): string {
    return `nothing came for ${this.#ms / 1000} s`;
  }

  /** From now on the other side has the whole time again. */
  moved(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(), this.#ms);
  }

  /** It is our turn, and we may take our time. */
  rest(): void {
    clearTimeout(this.#timer);
  }
}
