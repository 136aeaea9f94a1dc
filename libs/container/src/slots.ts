/** Small numbers for what runs at the same time: each names a range of host ids, so that no two running boxes share one. */
export class Slots {
  readonly #free: number[];

  constructor(count: number) {
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i);
  }

  /** @throws Error when all are taken */
  take(): number {
    const slot = this.#free.pop();
    if (slot === undefined) throw new Error("as many boxes run as there are id ranges");
    return slot;
  }

  /** @throws Error when it is taken, or there is none of this number */
  takeThis(slot: number): void {
    const at = this.#free.indexOf(slot);
    if (at < 0) throw new Error(`the id range ${slot} is taken`);
    this.#free.splice(at, 1);
  }

  /** The one released last is taken first: its user namespace is the one that is ready. */
  release(slot: number): void {
    this.#free.push(slot);
  }
}
