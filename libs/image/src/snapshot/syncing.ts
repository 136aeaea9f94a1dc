import type { Digest } from "@mayfly/contract";
import type { LayerTree } from "../tree/layer-tree.ts";

/** Writes snapshots to disk behind everybody's back: one sync at a time, for all that came since the one before. */
export class Syncing {
  readonly #dir: string;
  readonly #tree: LayerTree;
  readonly #done: (chainId: Digest, cacheId: string) => Promise<void>;
  #waiting = new Map<Digest, string>();
  #running: Promise<void> | null = null;

  constructor(dir: string, tree: LayerTree, done: (chainId: Digest, cacheId: string) => Promise<void>) {
    this.#dir = dir;
    this.#tree = tree;
    this.#done = done;
  }

  add(chainId: Digest, cacheId: string): void {
    this.#waiting.set(chainId, cacheId);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when all that was added is on disk, or could not be written. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = this.#waiting;
      this.#waiting = new Map();
      // What cannot be synced or was removed meanwhile is only not durable: it is made again after a power cut.
      await this.#tree.sync(this.#dir).then(
        () => Promise.allSettled([...batch].map(([chainId, cacheId]) => this.#done(chainId, cacheId))),
        () => {},
      );
    }
  }
}
