import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { BlobStore } from "../blob/blob-store.ts";
import { Meter, metered } from "../digest.ts";
import { LAYER_MEDIA_TYPE, type Layer } from "../oci.ts";
import type { Scratch } from "../scratch.ts";
import { checkEntry, type LayerEntry } from "./entry.ts";
import { inLayerOrder } from "./order.ts";
import { Spool } from "./spool.ts";
import { tarOf } from "./tar-write.ts";

/** `none`, or `gzip` (level 6, no name, no time). */
export type Compression = keyof typeof LAYER_MEDIA_TYPE;

/**
 * Makes a layer blob of entries in any order. Memory holds names and attributes, never contents.
 * Equal entries give equal diff_ids; with `gzip` the digest also depends on zlib's version, the diff_id does not.
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
    const uncompressed = new Meter();
    const tar = metered(tarOf(inLayerOrder(kept)), uncompressed);
    const { digest, size_bytes } = await blobs.put(compression === "gzip" ? gzipped(tar) : tar);
    return { digest, diff_id: uncompressed.digest(), size_bytes, media_type: LAYER_MEDIA_TYPE[compression] };
  } finally {
    await spool.remove();
  }
}

function gzipped(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // The pipeline's error also comes out of the stream that is read, so nothing is lost here.
  return pipeline(Readable.from(source, { objectMode: false }), createGzip({ level: 6 }), () => {});
}
