import { ImageError } from "../../error.ts";
import type { Bits } from "./bits.ts";

const LONGEST = 20;

/** Canonical codes: of each length, the last code and the symbols in order. */
export class Huffman {
  readonly #limit = new Int32Array(LONGEST + 2).fill(-1);
  readonly #offset = new Int32Array(LONGEST + 2);
  readonly #symbols: Uint16Array;
  readonly #shortest: number;

  /** @param lengths of each symbol's code, in bits */
  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length);
    this.#shortest = lengths.reduce((least, length) => Math.min(least, length), LONGEST);
    let code = 0;
    let at = 0;
    for (let length = 1; length <= LONGEST; length++) {
      this.#offset[length] = at - code;
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[at++] = symbol;
        code++;
      }
      this.#limit[length] = code - 1;
      code <<= 1;
    }
  }

  /** @throws ImageError `corrupt` */
  read(bits: Bits): number {
    let code = bits.take(this.#shortest);
    for (let length = this.#shortest; length <= LONGEST; length++) {
      if (code <= this.#limit[length]!) {
        const symbol = this.#symbols[code + this.#offset[length]!];
        if (symbol !== undefined) return symbol;
        break;
      }
      code = (code << 1) | bits.take(1);
    }
    throw new ImageError("corrupt", "a bzip2 block has a code that stands for nothing");
  }
}

/** A table as it stands in a block: each length as steps up or down from the one before. */
export function readTable(bits: Bits, symbols: number): Huffman {
  const lengths = new Uint8Array(symbols);
  let length = bits.take(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    while (bits.take(1) === 1) length += bits.take(1) === 0 ? 1 : -1;
    if (length < 1 || length > LONGEST) throw new ImageError("corrupt", `a bzip2 block has a code of ${length} bits`);
    lengths[symbol] = length;
  }
  return new Huffman(lengths);
}
