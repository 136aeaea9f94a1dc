import { ImageError } from "../../error.ts";

/** What was unpacked last, as far back as matches reach. */
export class Window {
  readonly #ring: Buffer;
  readonly #reach: number;
  #at = 0;
  /** Bytes since the last reset. */
  #filled = 0;

  /** @param most bytes that are put in before they are taken */
  constructor(reach: number, most: number) {
    this.#reach = reach;
    this.#ring = Buffer.alloc(Math.max(reach, most));
  }

  get filled(): number {
    return this.#filled;
  }

  reset(): void {
    this.#filled = 0;
  }

  put(byte: number): void {
    this.#ring[this.#at] = byte;
    this.#at = this.#at + 1 === this.#ring.byteLength ? 0 : this.#at + 1;
    this.#filled++;
  }

  /** The byte so far back; 0 is the last one. Before the first byte there is a zero. */
  back(distance: number): number {
    if (this.#filled === 0) return 0;
    const at = this.#at - distance - 1;
    return this.#ring[at < 0 ? at + this.#ring.byteLength : at]!;
  }

  /** Puts again what lies so far back. @throws ImageError `corrupt` */
  repeat(distance: number, length: number): void {
    if (distance >= this.#filled || distance >= this.#reach)
      throw new ImageError("corrupt", "a match of LZMA reaches back before the first byte");
    for (let left = length; left > 0; left--) this.put(this.back(distance));
  }

  /** A copy of the last bytes. */
  last(length: number): Buffer {
    const from = this.#at - length;
    if (from >= 0) return Buffer.from(this.#ring.subarray(from, this.#at));
    return Buffer.concat([this.#ring.subarray(from + this.#ring.byteLength), this.#ring.subarray(0, this.#at)]);
  }
}
