import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import { chainIds } from "../snapshot/chain-id.ts";
import type { Snapshotter } from "../snapshot/snapshotter.ts";
import type { Tags } from "../tags.ts";
import { readImage } from "./read.ts";
import { stackOf } from "./stack.ts";
import { requireWhole } from "./whole.ts";

export interface CheckReport {
  readonly blobs: number;
  readonly snapshots: number;
  /** One sentence each; empty when all is well. */
  readonly problems: readonly string[];
  /** What was done about them: one sentence each. */
  readonly mended: readonly string[];
}

export interface CheckOptions {
  /** Put damaged blobs in quarantine, and remove damaged snapshots, which are made again when they are needed. */
  readonly mend?: boolean;
  /** Unpack every layer of a tagged image again and compare it with its snapshot, file by file. Takes its time. */
  readonly deep?: boolean;
}

interface Parts {
  readonly blobs: BlobStore;
  readonly snapshots: Snapshotter;
  readonly tags: Tags;
}

/** Reads every blob, follows every tag to its layers, and looks at every snapshot. */
export function checkStore(parts: Parts, options: CheckOptions = {}): Promise<CheckReport> {
  return new Check(parts, options).run();
}

class Check {
  readonly #parts: Parts;
  readonly #options: CheckOptions;
  readonly #problems: string[] = [];
  readonly #mended: string[] = [];

  constructor(parts: Parts, options: CheckOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async run(): Promise<CheckReport> {
    const blobs = await this.#blobs();
    await this.#tags();
    if (this.#options.deep) await this.#contents();
    const snapshots = await this.#snapshots();
    return { blobs, snapshots, problems: this.#problems, mended: this.#mended };
  }

  async #blobs(): Promise<number> {
    let count = 0;
    for await (const { digest } of this.#parts.blobs.list()) {
      count += 1;
      const error = await this.#noting(() => readThrough(digest, this.#parts.blobs));
      if (!(error instanceof ImageError) || error.reason !== "corrupt" || !this.#options.mend) continue;
      await this.#parts.blobs.quarantine(digest);
      this.#mended.push(`the blob ${digest} is in quarantine; pull, load or build its image again`);
    }
    return count;
  }

  async #tags(): Promise<void> {
    const { tags, blobs } = this.#parts;
    await this.#noting(async () => {
      for (const [tag, digest] of await tags.all()) {
        await this.#noting(() => requireWhole(digest, blobs), `the tag ${tag}: `);
      }
    });
  }

  async #snapshots(): Promise<number> {
    const { snapshots } = this.#parts;
    let count = 0;
    for await (const { chainId } of snapshots.list()) {
      count += 1;
      const error = await this.#noting(async () => {
        const { parent } = await snapshots.meta(chainId);
        if (parent && !(await snapshots.has(parent)))
          throw new Error(`the snapshot ${chainId} lacks its parent ${parent}`);
      });
      if (error) await this.#remove(chainId);
    }
    return count;
  }

  /** The snapshots of tagged images: only those have a blob that is known to be theirs. */
  async #contents(): Promise<void> {
    const { tags, blobs, snapshots } = this.#parts;
    const checked = new Set<Digest>();
    for (const digest of (await tags.all().catch(() => new Map<string, Digest>())).values()) {
      const image = await readImage(digest, blobs).catch(() => null); // Said already.
      const stack = image ? stackOf(image) : [];
      for (const [at, chainId] of chainIds(stack.map(({ diff_id }) => diff_id)).entries()) {
        if (checked.has(chainId) || !(await snapshots.has(chainId))) continue;
        checked.add(chainId);
        const error = await this.#noting(async () => {
          if (!(await snapshots.verify(stack.slice(0, at + 1)))) {
            throw new Error(`the snapshot ${chainId} is not what its layer ${stack[at]!.digest} holds`);
          }
        });
        if (error) await this.#remove(chainId);
      }
    }
  }

  async #remove(chainId: Digest): Promise<void> {
    if (!this.#options.mend || !(await this.#parts.snapshots.remove(chainId, null))) return;
    this.#mended.push(`the snapshot ${chainId} was removed; it is made again when it is needed`);
  }

  async #noting(act: () => Promise<void>, where = ""): Promise<Error | null> {
    try {
      await act();
      return null;
    } catch (error) {
      this.#problems.push(where + (error as Error).message);
      return error as Error;
    }
  }
}

async function readThrough(digest: Digest, blobs: BlobStore): Promise<void> {
  for await (const _ of blobs.open(digest)) {
    // Reading to the end is the check.
  }
}
