import { ImageError } from "../../error.ts";
import type { Bits } from "./bits.ts";
import { type Huffman, readTable } from "./huffman.ts";

/** Codes change tables after so many symbols. */
const GROUP = 50;

/** A block before it is sorted back: its bytes (in the low 8 bits, room for links above), and which of them is the first. */
export interface Block {
  readonly sorted: Uint32Array;
  readonly first: number;
}

/** @param most bytes in a block @throws ImageError `corrupt` */
export function readBlock(bits: Bits, most: number): Block {
  if (bits.take(1) === 1)
    throw new ImageError("unsupported", "it is packed with a bzip2 of before 1997 (randomised blocks)");
  const first = bits.take(24);
  const order = usedBytes(bits);
  const { tables, selectors } = codes(bits, order.length + 2);
  const end = order.length + 1;
  const sorted = new Uint32Array(most);
  let [size, run, weight] = [0, 0, 1];
  const flush = () => {
    if (size + run > most) throw wrong("is longer than it says");
    sorted.fill(order[0]!, size, size + run);
    size += run;
    [run, weight] = [0, 1];
  };
  for (let group = 0, left = 0, table: Huffman = tables[0]!; ; left--) {
    if (left === 0) {
      const selector = selectors[group++];
      if (selector === undefined) throw wrong("has fewer tables than symbols");
      [table, left] = [tables[selector]!, GROUP];
    }
    const symbol = table.read(bits);
    if (symbol <= 1) {
      // How often the last byte comes again, in digits 1 and 2 of base 2.
      run += weight << symbol;
      if (run > most) throw wrong("is longer than it says");
      weight <<= 1;
      continue;
    }
    if (run > 0) flush();
    if (symbol === end) break;
    const byte = toFront(order, symbol - 1);
    if (size === most) throw wrong("is longer than it says");
    sorted[size++] = byte;
  }
  if (first >= size) throw wrong("begins behind its end");
  return { sorted: sorted.subarray(0, size), first };
}

/** Which bytes there are: 16 bits say which sixteenths have any. */
function usedBytes(bits: Bits): Uint8Array {
  const sixteenths = bits.take(16);
  const used: number[] = [];
  for (let high = 0; high < 16; high++) {
    if (((sixteenths >> (15 - high)) & 1) === 0) continue;
    const members = bits.take(16);
    for (let low = 0; low < 16; low++) if ((members >> (15 - low)) & 1) used.push(high * 16 + low);
  }
  if (used.length === 0) throw wrong("has no bytes");
  return Uint8Array.from(used);
}

function codes(bits: Bits, symbols: number): { tables: Huffman[]; selectors: Uint8Array } {
  const count = bits.take(3);
  if (count < 2 || count > 6) throw wrong(`has ${count} tables`);
  const selectors = new Uint8Array(bits.take(15));
  const order = Uint8Array.from({ length: count }, (_, at) => at);
  for (let at = 0; at < selectors.length; at++) {
    let index = 0;
    while (bits.take(1) === 1) index++;
    if (index >= count) throw wrong("asks for a table that is not there");
    selectors[at] = toFront(order, index);
  }
  return { tables: Array.from({ length: count }, () => readTable(bits, symbols)), selectors };
}

function toFront(order: Uint8Array, index: number): number {
  const moved = order[index];
  if (moved === undefined) throw wrong("asks for a byte that is not there");
  order.copyWithin(1, 0, index);
  order[0] = moved;
  return moved;
}

export const wrong = (how: string) => new ImageError("corrupt", `a bzip2 block ${how}`);
