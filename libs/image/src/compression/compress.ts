import type { Compression } from "./decompress.ts";
import { gzipped } from "./gzip.ts";
import { zstdPacked } from "./zstd.ts";

/** Equal bytes give equal bytes, as long as zlib and zstd are the same. */
export function compressed(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  if (compression === "none") return source;
  return compression === "gzip" ? gzipped(source) : zstdPacked(source);
}
