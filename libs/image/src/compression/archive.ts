import { ByteReader } from "../bytes/byte-reader.ts";
import { bunzip2 } from "./bzip2/bunzip2.ts";
import { decompressed } from "./decompress.ts";
import { unxz, XZ_MAGIC } from "./xz/unxz.ts";

const BZIP2_MAGIC = Buffer.from("BZh");

/**
 * Unpacks whatever archives come packed with: gzip, zstd, bzip2, xz; passes anything else as it is. Layers are never packed with the
 * latter two, see `decompressed`.
 * @throws ImageError `corrupt`, `unsupported` out of the stream; what the source threw passes.
 */
export async function decompressedArchive(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const reader = new ByteReader(source);
  const magic = await reader.peek(XZ_MAGIC.byteLength);
  if (magic.equals(XZ_MAGIC)) return ending(unxz(reader), reader);
  if (magic.subarray(0, BZIP2_MAGIC.byteLength).equals(BZIP2_MAGIC)) return ending(bunzip2(reader), reader);
  return (await decompressed(reader.rest())).bytes;
}

/** Tells the source that nothing more is wanted, also when nobody reads to the end. */
async function* ending(bytes: AsyncIterable<Uint8Array>, reader: ByteReader): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } finally {
    await reader.close();
  }
}
