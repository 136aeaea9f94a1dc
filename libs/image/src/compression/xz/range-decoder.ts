import { ImageError } from "../../error.ts";

/** A probability of 1/2, of 2^11. */
export const EVEN = 1024;

export const evens = (length: number): Uint16Array => new Uint16Array(length).fill(EVEN);

/** The adaptive binary range decoder of LZMA, over one chunk. @throws ImageError `corrupt` when it runs out of bytes */
export class RangeDecoder {
  readonly #bytes: Uint8Array;
  #at = 5;
  #range = 0xffffffff;
  #code: number;

  constructor(bytes: Uint8Array) {
    if (bytes.byteLength < 5 || bytes[0] !== 0) throw new ImageError("corrupt", "an LZMA chunk begins wrongly");
    this.#bytes = bytes;
    this.#code = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  }

  /** Whether all was read and nothing is left to say. */
  get over(): boolean {
    this.#normalize();
    return this.#code === 0 && this.#at === this.#bytes.byteLength;
  }

  bit(probabilities: Uint16Array, at: number): 0 | 1 {
    this.#normalize();
    const probability = probabilities[at]!;
    const bound = (this.#range >>> 11) * probability;
    if (this.#code < bound) {
      this.#range = bound;
      probabilities[at] = probability + ((2048 - probability) >>> 5);
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    probabilities[at] = probability - (probability >>> 5);
    return 1;
  }

  /** A number of so many bits, highest first; each bit's probability depends on those before it. */
  tree(probabilities: Uint16Array, bits: number, offset = 0): number {
    let node = 1;
    for (let left = bits; left > 0; left--) node = (node << 1) | this.bit(probabilities, offset + node);
    return node - (1 << bits);
  }

  /** The same, lowest bit first. */
  reverseTree(probabilities: Uint16Array, bits: number, offset = 0): number {
    let node = 1;
    let value = 0;
    for (let bit = 0; bit < bits; bit++) {
      const one = this.bit(probabilities, offset + node);
      node = (node << 1) | one;
      value |= one << bit;
    }
    return value;
  }

  /** Bits that are as likely 0 as 1. */
  direct(bits: number): number {
    let value = 0;
    for (let left = bits; left > 0; left--) {
      this.#normalize();
      this.#range >>>= 1;
      const one = this.#code >= this.#range ? 1 : 0;
      if (one) this.#code -= this.#range;
      value = value * 2 + one;
    }
    return value;
  }

  #normalize(): void {
    if (this.#range >= 0x1000000) return;
    if (this.#at >= this.#bytes.byteLength) throw new ImageError("corrupt", "an LZMA chunk ends early");
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#bytes[this.#at++]!) >>> 0;
  }
}
