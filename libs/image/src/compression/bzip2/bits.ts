import type { ByteReader } from "../../bytes/byte-reader.ts";
import { ImageError } from "../../error.ts";

/** As much as the longest block takes: 900 000 symbols of 20 bits, and its tables. */
const AHEAD_BYTES = 3 * 1024 * 1024;

/** Bits of a stream, highest first. They are read without waiting, so somebody must `fill` before. */
export class Bits {
  readonly #reader: ByteReader;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /** Fetches what a whole block may need. */
  async fill(): Promise<void> {
    if (this.#bytes.byteLength - this.#at >= AHEAD_BYTES) return;
    const parts: Uint8Array[] = [this.#bytes.subarray(this.#at)];
    for (let missing = AHEAD_BYTES * 2 - parts[0]!.byteLength; missing > 0; ) {
      const part = await this.#reader.some(missing);
      if (part === null) break;
      parts.push(part);
      missing -= part.byteLength;
    }
    this.#bytes = Buffer.concat(parts);
    this.#at = 0;
  }

  /** At most 24 of them, as a number. @throws ImageError `corrupt` when there are fewer */
  take(count: number): number {
    while (this.#count < count) {
      if (this.#at === this.#bytes.byteLength) throw new ImageError("corrupt", "the bzip2 stream ends early");
      // Only the bits that are not taken yet count; those above them fall off.
      this.#held = (this.#held << 8) | this.#bytes[this.#at++]!;
      this.#count += 8;
    }
    this.#count -= count;
    return (this.#held >>> this.#count) & ((1 << count) - 1);
  }

  /** 32 of them. */
  word(): number {
    const high = this.take(16);
    return ((high << 16) | this.take(16)) >>> 0;
  }

  /** Goes on at the next whole byte. @returns whether there is one */
  align(): boolean {
    this.#count -= this.#count % 8;
    return this.#count > 0 || this.#at < this.#bytes.byteLength;
  }
}
