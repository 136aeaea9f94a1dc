import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { bounded, type Expansion } from "../compression/bounded.ts";
import { compressed } from "../compression/compress.ts";
import { type Compression, decompressed } from "../compression/decompress.ts";
import { counted, Meter, metered } from "../digest.ts";
import { LAYER_MEDIA_TYPE, type Layer } from "../oci.ts";
import type { Scratch } from "../scratch.ts";
import { checkEntry, type LayerEntry } from "./entry.ts";
import { entriesOfTar } from "./from-tar.ts";
import type { LayerLimits } from "./limits.ts";
import { inLayerOrder } from "./order.ts";
import { Spool } from "./spool.ts";
import { tarOf } from "./to-tar.ts";

/**
 * Makes a layer blob of entries in any order. Memory holds names and attributes, never contents.
 * Equal entries give equal diff_ids; when compressed the digest also depends on zlib's or zstd's version, the diff_id does not.
 */
export async function addLayer(
  entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>,
  compression: Compression,
  { blobs, scratch }: { readonly blobs: BlobStore; readonly scratch: Scratch },
): Promise<Layer> {
  const spool = new Spool(scratch);
  try {
    const kept: LayerEntry[] = [];
    for await (const entry of entries) {
      checkEntry(entry);
      kept.push(entry.type === "file" && entry.once ? await spool.keep(entry) : entry);
    }
    return await putTar(tarOf(inLayerOrder(kept)), compression, blobs);
  } finally {
    await spool.remove();
  }
}

/** Makes a layer blob of a tar of our own. */
export async function putTar(
  tar: AsyncIterable<Uint8Array>,
  compression: Compression,
  blobs: BlobStore,
): Promise<Layer> {
  const uncompressed = new Meter();
  const { digest, size_bytes } = await blobs.put(compressed(metered(tar, uncompressed), compression));
  return { digest, diff_id: uncompressed.digest(), size_bytes, media_type: LAYER_MEDIA_TYPE[compression] };
}

/**
 * Keeps a layer that somebody else made byte for byte as it came, and finds out its diff_id. What is in it is not looked at.
 * @throws ImageError `corrupt` when it cannot be unpacked, `refused` when it is a bomb
 */
export async function adoptTar(
  source: AsyncIterable<Uint8Array>,
  { blobs, limits }: { readonly blobs: BlobStore; readonly limits: Expansion },
): Promise<Layer> {
  const { digest, size_bytes } = await blobs.put(source);
  const { compression, diff_id } = await measure(digest, blobs, limits);
  return { digest, diff_id, size_bytes, media_type: LAYER_MEDIA_TYPE[compression] };
}

/** The entries of a tar, packed or not, as they stand in it. @throws ImageError `missing`, `corrupt`, `refused`, `unsupported` */
export async function* entriesOfPacked(
  tar: AsyncIterable<Uint8Array>,
  limits: LayerLimits,
): AsyncGenerator<LayerEntry> {
  const packed = { size_bytes: 0 };
  const { bytes } = await decompressed(counted(tar, packed));
  yield* entriesOfTar(bounded(bytes, packed, limits), limits);
}

/** How a layer blob is packed, its size, and the digest of what is packed. */
export async function measure(
  digest: Digest,
  blobs: BlobStore,
  limits: Expansion,
): Promise<{ compression: Compression; diff_id: Digest; size_bytes: number }> {
  const packed = { size_bytes: 0 };
  const { compression, bytes } = await decompressed(counted(blobs.open(digest), packed));
  const unpacked = new Meter();
  for await (const chunk of bounded(bytes, packed, limits)) unpacked.add(chunk);
  return { compression, diff_id: unpacked.digest(), size_bytes: packed.size_bytes };
}
