import type { Digest } from "@mayfly/contract";

/** The kernel stamps files with the time of its last tick: what is written after a moment may look as if it were from before it. */
const TICK_MS = 100;

/** What garbage collection must let be besides what is tagged: images that boxes run, and whatever is just being made. */
export class InUse {
  readonly #held = new Map<Digest, number>();
  readonly #making = new Set<{ readonly since_ms: number }>();

  /** Boxes of the image run until the answer is called. */
  hold(image: Digest): () => void {
    this.#held.set(image, (this.#held.get(image) ?? 0) + 1);
    return once(() => {
      const left = this.#held.get(image)! - 1;
      if (left > 0) this.#held.set(image, left);
      else this.#held.delete(image);
    });
  }

  /** Blobs come into the store that no manifest names yet, until the answer is called. */
  making(nowMs = Date.now()): () => void {
    const begun = { since_ms: nowMs - TICK_MS };
    this.#making.add(begun);
    return once(() => void this.#making.delete(begun));
  }

  images(): Digest[] {
    return [...this.#held.keys()];
  }

  /** Since when something is being made, Unix epoch in milliseconds; null: nothing is. */
  makingSinceMs(): number | null {
    return this.#making.size === 0 ? null : Math.min(...[...this.#making].map(({ since_ms }) => since_ms));
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
