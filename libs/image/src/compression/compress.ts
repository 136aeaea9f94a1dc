import { pipeline, Readable } from "node:stream";
import { constants, createZstdCompress } from "node:zlib";
import type { Compression } from "./decompress.ts";
import { gzipped } from "./gzip.ts";

/** Equal bytes give equal bytes, as long as zlib and zstd are the same. */
export function compressed(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  if (compression === "none") return source;
  if (compression === "gzip") return gzipped(source);
  const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
  // The pipeline's error also comes out of the stream that is read, so nothing is lost here.
  return pipeline(Readable.from(source, { objectMode: false }), createZstdCompress({ params }), () => {});
}
