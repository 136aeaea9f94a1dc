import type { Digest, RootFs } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { applyChanges } from "../change/change.ts";
import type { Expansion } from "../compression/bounded.ts";
import { compressionOf, MAGIC_BYTES } from "../compression/decompress.ts";
import { createImage } from "../image/create.ts";
import { adoptTar, putTar } from "../layer/add.ts";
import type { WritableLayer } from "../layer/diff.ts";
import type { LayerEntry } from "../layer/entry.ts";
import { asInBoxOrImage } from "../layer/shift.ts";
import { tarOf } from "../layer/to-tar.ts";
import type { LayerTree } from "../tree/layer-tree.ts";

/** The root file system of an image as a box would find it, in one tar: layers, history and configuration are lost. */
export function exportTree({ lower }: RootFs, tree: LayerTree): AsyncGenerator<Uint8Array> {
  return tarOf(withoutPlainRoot(tree.merge(lower)));
}

/** The same of a box: its image's, and over it what it wrote. */
export function exportBox(
  { upper, id_base }: WritableLayer,
  { lower }: RootFs,
  tree: LayerTree,
): AsyncGenerator<Uint8Array> {
  const entries = async function* (): AsyncGenerator<LayerEntry> {
    for await (const entry of tree.merge([upper, ...lower])) yield asInBoxOrImage(entry, id_base);
  };
  return tarOf(withoutPlainRoot(entries()));
}

/** A root like any other is not said, so that unpacking the tar somewhere does not change the folder that it is unpacked in. */
async function* withoutPlainRoot(entries: AsyncIterable<LayerEntry>): AsyncGenerator<LayerEntry> {
  for await (const entry of entries) {
    const isPlain = entry.path === "" && "mode" in entry && entry.mode === 0o755 && entry.uid === 0 && entry.gid === 0;
    if (!isPlain) yield entry;
  }
}

export interface Import {
  /** Instructions as in `Commit.changes`. */
  readonly changes?: readonly string[];
  readonly message?: string;
  /** Where it came from, for the history. */
  readonly from?: string;
  readonly created: Date;
}

/**
 * Makes an image of one layer of a tar of a root file system; gzip and zstd stay as they are, a plain tar is packed.
 * @returns the manifest's digest @throws ImageError
 */
export async function importTree(
  source: AsyncIterable<Uint8Array>,
  { changes = [], message, from = "-", created }: Import,
  parts: { readonly blobs: BlobStore; readonly limits: Expansion },
): Promise<Digest> {
  const config = applyChanges({}, changes);
  const reader = new ByteReader(source);
  const isPacked = compressionOf(await reader.peek(MAGIC_BYTES)) !== "none";
  const layer = isPacked ? await adoptTar(reader.rest(), parts) : await putTar(reader.rest(), "gzip", parts.blobs);
  const history = [{ comment: message ?? `Imported from ${from}` }];
  return createImage({ base: null, layers: [layer], config, history, created }, parts.blobs);
}
