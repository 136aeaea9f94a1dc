import { setTimeout as sleep } from "node:timers/promises";
import type { Digest } from "@mayfly/contract";
import type { LayerTree } from "../tree/layer-tree.ts";

/** So long it waits for more: a build makes several, and a sync writes all that its file system has. */
const GATHERS_MS = 500;

/** Writes snapshots to disk behind everybody's back: one sync at a time, for all that came since the one before. */
export class Syncing {
  readonly #dir: string;
  readonly #tree: LayerTree;
  readonly #done: (chainId: Digest, cacheId: string) => Promise<void>;
  #waiting = new Map<Digest, string>();
  #running: Promise<void> | null = null;
  #gathering = new AbortController();

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
    this.#gathering.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#gathering = new AbortController();
      await sleep(GATHERS_MS, undefined, { signal: this.#gathering.signal }).catch(() => {});
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
