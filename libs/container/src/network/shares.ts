/** How much of something bounded each of many may hold at a time, so that one cannot keep all others from it. */
export class Shares {
  readonly #each: number;
  readonly #all: number;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(bounds: { readonly each: number; readonly all: number }) {
    this.#each = bounds.each;
    this.#all = bounds.all;
  }

  /** False: nothing was taken. */
  take(holder: string): boolean {
    const held = this.#held.get(holder) ?? 0;
    if (held >= this.#each || this.#total >= this.#all) return false;
    this.#held.set(holder, held + 1);
    this.#total += 1;
    return true;
  }

  /** Gives back what was taken. */
  give(holder: string): void {
    const held = this.#held.get(holder)! - 1;
    if (held === 0) this.#held.delete(holder);
    else this.#held.set(holder, held);
    this.#total -= 1;
  }
}
