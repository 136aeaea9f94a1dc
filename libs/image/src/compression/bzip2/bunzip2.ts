import type { ByteReader } from "../../bytes/byte-reader.ts";
import { ImageError } from "../../error.ts";
import { Bits } from "./bits.ts";
import { type Block, readBlock, wrong } from "./block.ts";

const CHUNK_BYTES = 64 * 1024;
/** π and √π, in decimal digits. */
const BLOCK = 0x314159265359;
const END = 0x177245385090;

/** Unpacks bzip2, streams one after the other, every check of them looked at. @throws ImageError `corrupt`, `unsupported` */
export async function* bunzip2(reader: ByteReader): AsyncGenerator<Buffer> {
  const bits = new Bits(reader);
  await bits.fill();
  do {
    yield* stream(bits);
    await bits.fill();
  } while (bits.align());
}

async function* stream(bits: Bits): AsyncGenerator<Buffer> {
  const [magic, level] = [bits.take(24), bits.take(8) - 0x30];
  if (magic !== 0x425a68 || level < 1 || level > 9) throw new ImageError("corrupt", "a bzip2 stream begins wrongly");
  let all = 0;
  for (;;) {
    await bits.fill();
    const mark = bits.take(24) * 2 ** 24 + bits.take(24);
    const sum = bits.word();
    if (mark === END) {
      if (sum !== all) throw new ImageError("corrupt", "a bzip2 stream is not what was packed");
      return;
    }
    if (mark !== BLOCK) throw wrong("begins wrongly");
    const found = { sum: 0xffffffff };
    yield* runs(readBlock(bits, level * 100_000), found);
    if (~found.sum >>> 0 !== sum) throw wrong("unpacks to something else than was packed");
    all = (((all << 1) | (all >>> 31)) ^ sum) >>> 0;
  }
}

/** The bytes of a block in their order: four equal ones are followed by how many more there are. */
function* runs({ sorted, first }: Block, found: { sum: number }): Generator<Buffer> {
  link(sorted);
  let out = Buffer.allocUnsafe(CHUNK_BYTES);
  let [filled, last, equal] = [0, -1, 0];
  let at = sorted[first]! >>> 8;
  for (let left = sorted.length; left > 0; left--) {
    const word = sorted[at]!;
    at = word >>> 8;
    const byte = word & 0xff;
    const count = equal === 4 ? byte : 1;
    const value = equal === 4 ? last : byte;
    equal = equal === 4 ? 0 : byte === last ? equal + 1 : 1;
    last = equal === 0 ? -1 : byte;
    for (let more = count; more > 0; more--) {
      out[filled++] = value;
      found.sum = ((found.sum << 8) ^ SUMS[(found.sum >>> 24) ^ value]!) >>> 0;
      if (filled < CHUNK_BYTES) continue;
      yield out;
      out = Buffer.allocUnsafe(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield out.subarray(0, filled);
}

/** Writes above each byte which comes next: the n-th of a value in the sorted column is the n-th of it in the other. */
function link(sorted: Uint32Array): void {
  const next = new Uint32Array(256);
  for (const byte of sorted) next[byte]!++;
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = next[byte]!;
    next[byte] = sum;
    sum += count;
  }
  for (let at = 0; at < sorted.length; at++) {
    const place = next[sorted[at]! & 0xff]!++;
    sorted[place] = (sorted[place]! | (at << 8)) >>> 0;
  }
}

/** CRC-32, highest bit first. */
const SUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  return sum >>> 0;
});
