import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import type { Snapshotter } from "../snapshot/snapshotter.ts";
import type { Tags } from "../tags.ts";
import { requireWhole } from "./whole.ts";

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
  readonly snapshots: Snapshotter;
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
    for (const digest of (await tags.all()).values()) await noting(() => requireWhole(digest, blobs));
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
