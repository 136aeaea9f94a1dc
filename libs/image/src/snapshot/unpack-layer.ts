import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { bounded } from "../compression/bounded.ts";
import { decompressed } from "../compression/decompress.ts";
import { counted, Meter, metered } from "../digest.ts";
import { ImageError } from "../error.ts";
import type { LayerEntry } from "../layer/entry.ts";
import { entriesOfTar } from "../layer/from-tar.ts";
import type { LayerLimits } from "../layer/limits.ts";
import type { LayerTree } from "../tree/layer-tree.ts";

/** A layer of an image, as it is needed here. */
export interface StackedLayer {
  readonly digest: Digest;
  readonly diff_id: Digest;
}

export interface Unpacked {
  readonly entries: number;
  readonly size_bytes: number;
  readonly hides_below?: true;
}

/**
 * Unpacks a layer blob into the empty folder `target`, over `lower`. When it returns, all bytes were those of digest and diff_id.
 * @throws ImageError; `target` is then to be thrown away.
 */
export async function unpackLayer(
  layer: StackedLayer,
  target: string,
  lower: readonly string[],
  { blobs, tree, limits }: { readonly blobs: BlobStore; readonly tree: LayerTree; readonly limits: LayerLimits },
): Promise<Unpacked> {
  const packed = { size_bytes: 0 };
  const unpacked = new Meter();
  const found = { entries: 0, size_bytes: 0, hides_below: false };
  const { bytes } = await decompressed(counted(blobs.open(layer.digest), packed));
  const tar = metered(bounded(bytes, packed, limits), unpacked);
  await tree.unpack(target, lower, counting(entriesOfTar(tar, limits), found), limits.wall_ms);
  if (unpacked.digest() !== layer.diff_id) {
    throw new ImageError("corrupt", `the layer ${layer.digest} is not the one with diff_id ${layer.diff_id}`);
  }
  const { hides_below, ...count } = found;
  return { ...count, ...(hides_below && { hides_below }) };
}

async function* counting(
  entries: AsyncIterable<LayerEntry>,
  count: { entries: number; size_bytes: number; hides_below: boolean },
): AsyncGenerator<LayerEntry> {
  for await (const entry of entries) {
    count.entries += 1;
    if (entry.type === "file") count.size_bytes += entry.size_bytes;
    if (entry.type === "opaque" && entry.path === "") count.hides_below = true;
    yield entry;
  }
}
