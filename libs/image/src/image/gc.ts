import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { chainIds } from "../snapshot/chain-id.ts";
import type { Snapshots } from "../snapshot/snapshots.ts";
import type { Tags } from "../tags.ts";
import { readImage } from "./read.ts";

export interface Swept {
  readonly blobs: number;
  readonly snapshots: number;
  /** Of blobs. */
  readonly freed_bytes: number;
}

/**
 * Marks from the tags and from `keep`, then sweeps the blobs and snapshots that nothing marked reaches and that were put before
 * `before` (younger ones may belong to an image that is being made). An image that cannot be read stops it before anything is swept.
 */
export async function collectGarbage(
  { keep, before }: { readonly keep: Iterable<Digest>; readonly before: Date },
  { blobs, snapshots, tags }: { readonly blobs: BlobStore; readonly snapshots: Snapshots; readonly tags: Tags },
): Promise<Swept> {
  const marked = new Set<Digest>();
  const markedChains = new Set<Digest>();
  for (const digest of new Set([...(await tags.all()).values(), ...keep])) {
    const { manifest, config } = await readImage(digest, blobs);
    for (const used of [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)])
      marked.add(used);
    for (const chainId of chainIds(config.rootfs.diff_ids)) markedChains.add(chainId);
  }
  const swept = { blobs: 0, snapshots: 0, freed_bytes: 0 };
  for await (const { chainId, unpacked_at } of snapshots.list()) {
    if (markedChains.has(chainId) || unpacked_at >= before) continue;
    await snapshots.remove(chainId);
    swept.snapshots += 1;
  }
  for await (const { digest, size_bytes, put_at } of blobs.list()) {
    if (marked.has(digest) || put_at >= before || !(await blobs.remove(digest))) continue;
    swept.blobs += 1;
    swept.freed_bytes += size_bytes;
  }
  return swept;
}
