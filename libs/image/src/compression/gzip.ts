import { promisify } from "node:util";
import { constants, crc32, deflateRaw } from "node:zlib";

const deflate = promisify(deflateRaw);

/** Of what goes in. Larger blocks pack a little better and wait longer. */
const BLOCK_BYTES = 512 * 1024;
/** What deflate can look back on (RFC 1951, 2). */
const WINDOW_BYTES = 32 * 1024;
/** Blocks in the hands of Node's thread pool, which has four threads. */
const AT_ONCE = 6;
/** Those that are being packed, the one before them whose end the first looks back on, and the one that is being filled. */
const BUFFERS = AT_ONCE + 2;
/** A level higher takes half as long again and saves a hundredth. */
const LEVEL = 4;
/** No name, no time, no system (RFC 1952, 2.3). */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** An empty last block. */
const END = Buffer.from([3, 0]);

/**
 * One gzip member, packed on all cores as pigz does it: in blocks that each know what came before them, joined at byte borders.
 * The same bytes however the source cuts them.
 */
export async function* gzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield HEADER;
  const running: Promise<Buffer>[] = [];
  let crc = 0;
  let size = 0;
  let before: Buffer | undefined;
  try {
    for await (const block of blocksOf(source)) {
      crc = crc32(block, crc);
      size += block.byteLength;
      const packing = deflate(block, {
        level: LEVEL,
        dictionary: before,
        finishFlush: constants.Z_SYNC_FLUSH,
        chunkSize: block.byteLength + 65_536,
      });
      packing.catch(() => {}); // Awaited below, or nobody wants it any more.
      running.push(packing);
      before = block.subarray(-WINDOW_BYTES);
      if (running.length === AT_ONCE) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled(running);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield Buffer.concat([END, trailer]);
}

/**
 * Each is valid until `BUFFERS` more have come: the same few buffers go round, for large ones would only wait to be collected. They are made
 * when they are filled: a small source needs one, and four megabytes more would set the collector to work.
 */
async function* blocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const buffers: Buffer[] = [];
  let at = 0;
  let used = 0;
  for await (const chunk of source) {
    for (let from = 0; from < chunk.byteLength; ) {
      buffers[at] ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
      const part = chunk.subarray(from, from + BLOCK_BYTES - used);
      buffers[at]!.set(part, used);
      used += part.byteLength;
      from += part.byteLength;
      if (used < BLOCK_BYTES) continue;
      yield buffers[at]!;
      at = (at + 1) % BUFFERS;
      used = 0;
    }
  }
  if (used > 0) yield buffers[at]!.subarray(0, used);
}
