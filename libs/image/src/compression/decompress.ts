import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ImageError } from "../error.ts";
import { unzstd } from "./unzstd.ts";

/** How bytes are packed. What they begin with decides, never what somebody says of them. */
export type Compression = "none" | "gzip" | "zstd";

/** Larger than Node's 16 KiB, since each chunk costs a turn of the event loop; small enough that many are in memory at little cost. */
const CHUNK_BYTES = 64 * 1024;
export const MAGIC_BYTES = 4;

/** What some archives are packed with and layers never are (OCI image spec, layer.md). */
function otherPacking(magic: Buffer): string | null {
  if (magic.toString("latin1", 0, 3) === "BZh") return "bzip2";
  return magic.toString("hex", 0, 4) === "fd377a58" ? "xz" : null;
}

/**
 * By the first bytes (RFC 1952, RFC 8878); skippable frames of zstd (3.1.2) may come before the first one that holds data.
 * @throws ImageError `unsupported`
 */
export function compressionOf(magic: Buffer): Compression {
  const other = otherPacking(magic);
  if (other) throw new ImageError("unsupported", `it is packed with ${other}; gzip, zstd and plain tar can be read`);
  if (magic[0] === 0x1f && magic[1] === 0x8b) return "gzip";
  if (magic.byteLength < MAGIC_BYTES) return "none";
  const word = magic.readUInt32LE(0);
  return word === 0xfd2fb528 || (word & 0xfffffff0) >>> 0 === 0x184d2a50 ? "zstd" : "none";
}

/**
 * Unpacks gzip (of many members too) and zstd; passes anything else as it is.
 * @throws ImageError `unsupported` for other packings; `corrupt` out of the stream; what the source threw passes.
 */
export async function decompressed(
  source: AsyncIterable<Uint8Array>,
): Promise<{ compression: Compression; bytes: AsyncIterable<Uint8Array> }> {
  const reader = new ByteReader(source);
  const compression = compressionOf(await reader.peek(MAGIC_BYTES));
  if (compression === "none") return { compression, bytes: reader.rest() };
  return { compression, bytes: explained(reader.rest(), compression) };
}

async function* explained(source: AsyncIterable<Uint8Array>, compression: "gzip" | "zstd"): AsyncGenerator<Uint8Array> {
  let failure: unknown = null;
  const watched = (async function* () {
    try {
      yield* source;
    } catch (error) {
      failure = error;
      throw error;
    }
  })();
  try {
    yield* compression === "zstd" ? unzstd(watched, CHUNK_BYTES) : gunzipped(watched);
  } catch (error) {
    if (failure !== null) throw failure;
    const answer = error instanceof Error ? error.message : String(error);
    throw new ImageError("corrupt", `it cannot be unpacked as ${compression}: ${answer}`, error);
  }
}

/** Members one after the other are one stream to Node too. */
async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip({ chunkSize: CHUNK_BYTES });
  pipeline(source, stream, () => {}); // Its error comes out of the stream that is read.
  for await (const chunk of stream) yield chunk as Uint8Array;
}
