import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { ImageError } from "../../error.ts";

/** What tells at the end of a block whether it was unpacked right. */
export interface Check {
  readonly size_bytes: number;
  update(bytes: Uint8Array): void;
  /** As it stands in the file. */
  value(): Buffer;
}

/** By its number in a stream's flags. @throws ImageError `unsupported` */
export function checkOf(type: number): Check {
  switch (type) {
    case 0:
      return { size_bytes: 0, update: () => {}, value: () => Buffer.alloc(0) };
    case 1: {
      let sum = 0;
      return { size_bytes: 4, update: (bytes) => (sum = crc32(bytes, sum)), value: () => littleEndian(sum) };
    }
    case 4:
      return crc64();
    case 10: {
      const hash = createHash("sha256");
      return { size_bytes: 32, update: (bytes) => hash.update(bytes), value: () => hash.digest() };
    }
    default:
      throw new ImageError("unsupported", `a check of type ${type} in an xz stream is unknown`);
  }
}

export function littleEndian(word: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(word >>> 0);
  return bytes;
}

/** ECMA-182, reflected. Two halves, since a number holds 53 bits. */
const [LOW, HIGH] = tables(0xd7870f42, 0xc96c5795);

function tables(polynomialLow: number, polynomialHigh: number): [Uint32Array, Uint32Array] {
  const [lows, highs] = [new Uint32Array(256), new Uint32Array(256)];
  for (let byte = 0; byte < 256; byte++) {
    let [low, high] = [byte, 0];
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1;
      low = ((low >>> 1) | (high << 31)) >>> 0;
      high >>>= 1;
      if (odd) [low, high] = [(low ^ polynomialLow) >>> 0, (high ^ polynomialHigh) >>> 0];
    }
    [lows[byte], highs[byte]] = [low, high];
  }
  return [lows, highs];
}

function crc64(): Check {
  let [low, high] = [0xffffffff, 0xffffffff];
  return {
    size_bytes: 8,
    update(bytes) {
      for (const byte of bytes) {
        const at = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ LOW[at]!;
        high = (high >>> 8) ^ HIGH[at]!;
      }
    },
    value: () => Buffer.concat([littleEndian(~low), littleEndian(~high)]),
  };
}
