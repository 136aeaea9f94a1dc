import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import type { Snapshots } from "../snapshot/snapshots.ts";
import type { Tags } from "../tags.ts";
import { readImage } from "./read.ts";

export interface CheckReport {
  readonly blobs: number;
  readonly snapshots: number;
  /** One sentence each; empty when all is well. */
  readonly problems: readonly string[];
}

/** Reads every blob, follows every tag to its layers, and looks at every snapshot's parent. Changes nothing. */
export async function checkStore({
  blobs,
  snapshots,
  tags,
}: {
  readonly blobs: BlobStore;
  readonly snapshots: Snapshots;
  readonly tags: Tags;
}): Promise<CheckReport> {
  const problems: string[] = [];
  const noting = (act: () => Promise<void>) => act().catch((error: Error) => void problems.push(error.message));
  let blobCount = 0;
  for await (const { digest } of blobs.list()) {
    blobCount += 1;
    await noting(() => readThrough(digest, blobs));
  }
  await noting(async () => {
    for (const [tag, digest] of await tags.all()) await noting(() => followTag(tag, digest, blobs, problems));
  });
  let snapshotCount = 0;
  for await (const { chainId } of snapshots.list()) {
    snapshotCount += 1;
    await noting(async () => {
      const { parent } = await snapshots.meta(chainId);
      if (parent && !(await snapshots.has(parent))) problems.push(`the snapshot ${chainId} lacks its parent ${parent}`);
    });
  }
  return { blobs: blobCount, snapshots: snapshotCount, problems };
}

async function readThrough(digest: Digest, blobs: BlobStore): Promise<void> {
  for await (const _ of blobs.open(digest)) {
    // Reading to the end is the check.
  }
}

async function followTag(tag: string, digest: Digest, blobs: BlobStore, problems: string[]): Promise<void> {
  const { manifest } = await readImage(digest, blobs);
  for (const layer of manifest.layers) {
    if (!(await blobs.has(layer.digest))) problems.push(`${tag} lacks its layer ${layer.digest}`);
  }
}
