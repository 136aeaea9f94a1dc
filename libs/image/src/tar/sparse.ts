import type { ByteReader } from "../bytes/byte-reader.ts";
import { ImageError } from "../error.ts";
import type { Segment } from "../layer/entry.ts";
import { BLOCK_BYTES } from "./header.ts";
import { parseNumber } from "./number.ts";
import { countOf, type Pax } from "./pax.ts";

/** A file with holes: its whole size, and where the bytes that are stored go (GNU tar manual, "Sparse Formats"). */
export interface Sparse {
  readonly size_bytes: number;
  readonly segments: readonly Segment[];
  /** Of the stored bytes, how many were the map itself. */
  readonly map_bytes: number;
}

/** As many as layer-tree takes (record.h). */
const MOST_SEGMENTS = 65_536;

const corrupt = (what: string) => new ImageError("corrupt", `a sparse file ${what}`);

/** Reads the map of GNU's old format (type S): four segments in the header, 21 in each block behind it. */
export async function readOldSparse(block: Buffer, reader: ByteReader): Promise<Sparse> {
  const segments: Segment[] = [];
  const take = (from: Buffer, count: number) => {
    for (let at = 0; at < count && from[at * 24]! !== 0; at++) {
      const offset = parseNumber(from.subarray(at * 24, at * 24 + 12));
      segments.push({ offset, length: parseNumber(from.subarray(at * 24 + 12, at * 24 + 24)) });
    }
  };
  take(block.subarray(386), 4);
  for (let more = block[482] !== 0; more; ) {
    const next = await reader.exactly(BLOCK_BYTES);
    if (next?.byteLength !== BLOCK_BYTES || segments.length > MOST_SEGMENTS) throw corrupt("has a map without an end");
    take(next, 21);
    more = next[504] !== 0;
  }
  return { size_bytes: parseNumber(block.subarray(483, 495)), segments, map_bytes: 0 };
}

/** The map of a PAX header, or null when the file has no holes. Version 1.0 keeps the map before the stored bytes. */
export async function readPaxSparse(pax: Pax, reader: ByteReader): Promise<Sparse | null> {
  if (pax.get("GNU.sparse.major")?.toString() === "1") {
    const size_bytes = countOf(pax, "GNU.sparse.realsize");
    if (size_bytes === null) throw corrupt("does not say its size");
    return { size_bytes, ...(await readMapBlocks(reader)) };
  }
  const size_bytes = countOf(pax, "GNU.sparse.size");
  const map = pax.get("GNU.sparse.map")?.toString("latin1");
  if (size_bytes === null && map === undefined) return null;
  if (size_bytes === null) throw corrupt("does not say its size");
  return { size_bytes, segments: inPairs(map ? map.split(",") : []), map_bytes: 0 };
}

/** Decimal numbers, one a line, padded to whole blocks: how many segments, then offset and length of each. */
async function readMapBlocks(reader: ByteReader): Promise<Omit<Sparse, "size_bytes">> {
  let text = "";
  for (let blocks = 1; ; blocks++) {
    const block = await reader.exactly(BLOCK_BYTES);
    if (block?.byteLength !== BLOCK_BYTES) throw corrupt("has a map without an end");
    text += block.toString("latin1");
    const lines = text.split("\n");
    const count = Number(lines[0]);
    if (lines.length > 1 && !(count <= MOST_SEGMENTS)) throw corrupt(`has ${lines[0]!.slice(0, 40)} segments`);
    if (lines.length > 2 * count + 1)
      return { segments: inPairs(lines.slice(1, 2 * count + 1)), map_bytes: blocks * BLOCK_BYTES };
    if (text.length > MOST_SEGMENTS * 40) throw corrupt("has a map without an end");
  }
}

function inPairs(numbers: readonly string[]): Segment[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MOST_SEGMENTS) throw corrupt("has a map that is cut");
  return Array.from({ length: numbers.length / 2 }, (_, at) => ({
    offset: digits(numbers[2 * at]!),
    length: digits(numbers[2 * at + 1]!),
  }));
}

function digits(text: string): number {
  if (!/^[0-9]{1,16}$/.test(text)) throw corrupt(`has ${JSON.stringify(text.slice(0, 40))} in its map`);
  return Number(text);
}

/** In order, apart, inside of the file, and as many bytes as are stored. Empty ones, which GNU tar puts at the end, go. */
export function checkSparse({ size_bytes, segments }: Sparse, stored_bytes: number): Segment[] {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of segments) {
    if (offset < end || !Number.isSafeInteger(offset + length)) throw corrupt("has segments that overlap");
    end = offset + length;
    sum += length;
  }
  if (end > size_bytes) throw corrupt("has segments behind its end");
  if (sum !== stored_bytes) throw corrupt(`stores ${stored_bytes} bytes and maps ${sum}`);
  return segments.filter(({ length }) => length > 0);
}
