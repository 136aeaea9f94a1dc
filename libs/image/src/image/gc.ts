import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import { isImageConfig } from "../oci.ts";
import { chainIds } from "../snapshot/chain-id.ts";
import type { Snapshotter } from "../snapshot/snapshotter.ts";
import type { Tags } from "../tags.ts";
import { readDocument } from "./document.ts";
import { readImage } from "./read.ts";

export interface Swept {
  readonly blobs: number;
  readonly snapshots: number;
  /** Of blobs. */
  readonly freed_bytes: number;
}

interface Parts {
  readonly blobs: BlobStore;
  readonly snapshots: Snapshotter;
  readonly tags: Tags;
}

/**
 * Marks from the tags, from what they pointed at before, and from `keep`; then sweeps the blobs and snapshots that nothing marked reaches
 * and that were not used since `before` (younger ones may belong to an image that is being made, or to a box that is about to start).
 * What is used meanwhile stays. An image that cannot be read stops it before anything is swept.
 */
export async function collectGarbage(
  { keep, before }: { readonly keep: Iterable<Digest>; readonly before: Date },
  { blobs, snapshots, tags }: Parts,
): Promise<Swept> {
  const marks = { blobs: new Set<Digest>(), chains: new Set<Digest>() };
  for (const digest of (await tags.all()).values()) await mark(digest, blobs, marks);
  for (const digest of keep) await mark(digest, blobs, marks).catch(ifMissing);
  for (const digest of await tags.former()) await mark(digest, blobs, marks).catch(ifBroken);
  const swept = { blobs: 0, snapshots: 0, freed_bytes: 0 };
  for await (const { chainId, used_at } of snapshots.list()) {
    if (marks.chains.has(chainId) || used_at >= before || !(await snapshots.remove(chainId, before))) continue;
    swept.snapshots += 1;
  }
  for await (const { digest, size_bytes, used_at } of blobs.list()) {
    if (marks.blobs.has(digest) || used_at >= before || !(await blobs.remove(digest, before))) continue;
    swept.blobs += 1;
    swept.freed_bytes += size_bytes;
  }
  return swept;
}

async function mark(
  digest: Digest,
  blobs: BlobStore,
  marks: { readonly blobs: Set<Digest>; readonly chains: Set<Digest> },
): Promise<void> {
  if (marks.blobs.has(digest)) return;
  const document = await readDocument(digest, blobs);
  marks.blobs.add(digest);
  if (document.kind === "index") {
    // Of an index often only one platform's image is here.
    for (const part of document.index.manifests)
      if (await blobs.has(part.digest)) await mark(part.digest, blobs, marks);
    return;
  }
  for (const { digest: part } of [document.manifest.config, ...document.manifest.layers]) marks.blobs.add(part);
  if (!isImageConfig(document.manifest.config.mediaType)) return;
  const { config } = await readImage(digest, blobs);
  for (const chainId of chainIds(config.rootfs.diff_ids)) marks.chains.add(chainId);
}

/** Of an image that cannot run any more there is nothing to keep. */
function ifMissing(error: unknown): void {
  if (!(error instanceof ImageError) || error.reason !== "missing") throw error;
}

/** What a tag once pointed at may have gone in the meantime: then there is nothing of it to keep. */
function ifBroken(error: unknown): void {
  if (!(error instanceof ImageError) || (error.reason !== "missing" && error.reason !== "corrupt")) throw error;
}
