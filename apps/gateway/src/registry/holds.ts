import type { Digest } from "@mayfly/contract";

/** Keeps removing a blob and beginning to use it apart: who uses one waits until a removal is over, and removes nothing in use. */
export class Holds {
  readonly #held = new Map<Digest, number>();
  readonly #removing = new Map<Digest, Promise<void>>();

  /** While `work` runs, none of these is removed. */
  async hold<T>(digests: Iterable<Digest>, work: () => Promise<T>): Promise<T> {
    const held = [...digests];
    for (const digest of held) this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
    try {
      await Promise.all(held.map((digest) => this.#removing.get(digest)));
      return await work();
    } finally {
      for (const digest of held) {
        const left = this.#held.get(digest)! - 1;
        if (left === 0) this.#held.delete(digest);
        else this.#held.set(digest, left);
      }
    }
  }

  /** Runs `work`, which looks whether anybody has the blob and removes it if not; nothing when it is held or being removed. */
  async remove(digest: Digest, work: () => Promise<void>): Promise<void> {
    if (this.#held.has(digest) || this.#removing.has(digest)) return;
    const removing = work();
    this.#removing.set(
      digest,
      removing.catch(() => {}),
    );
    try {
      await removing;
    } finally {
      this.#removing.delete(digest);
    }
  }
}
