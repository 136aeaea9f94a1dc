/** What one version was called lately, and how many boxes are to wait for its next calls. Pure but for its memory. */
export class RecentCalls {
  #last = Number.NEGATIVE_INFINITY;
  #before = Number.NEGATIVE_INFINITY;
  #running = 0;
  /** The most that ran at once, and since when. */
  #peak = 0;
  #peakAt = Number.NEGATIVE_INFINITY;

  begun(nowMs: number): void {
    this.#before = this.#last;
    this.#last = nowMs;
    this.#running += 1;
    if (this.#running >= this.#peak || nowMs - this.#peakAt > PEAK_COUNTS_MS) {
      this.#peak = this.#running;
      this.#peakAt = nowMs;
    }
  }

  ended(): void {
    this.#running -= 1;
  }

  get last(): number {
    return this.#last;
  }

  /** A single call is no traffic: a box for the next one would most likely be made for nobody. */
  wanted(nowMs: number): number {
    if (nowMs - this.#last > IDLE_MS || this.#last - this.#before > IDLE_MS) return 0;
    return Math.min(MOST_EACH, nowMs - this.#peakAt > PEAK_COUNTS_MS ? 1 : this.#peak);
  }

  /** Nothing to remember. */
  isForgotten(nowMs: number): boolean {
    return this.#running === 0 && nowMs - this.#last > IDLE_MS;
  }
}

/** Boxes of a version that is not called for so long are taken away. */
export const IDLE_MS = 30_000;
const PEAK_COUNTS_MS = 10_000;
const MOST_EACH = 8;
