import type { ByteReader } from "../../bytes/byte-reader.ts";
import { ImageError } from "../../error.ts";
import { Lzma } from "./lzma.ts";
import { RangeDecoder } from "./range-decoder.ts";
import { Window } from "./window.ts";

/** A chunk unpacks to no more. */
const MOST_OF_A_CHUNK = 1 << 21;

/** Reads bytes of a block. @throws ImageError `corrupt` when there are fewer */
export type Take = (length: number) => Promise<Buffer>;

export const taker =
  (reader: ByteReader): Take =>
  async (length) => {
    const bytes = await reader.exactly(length);
    if (bytes?.byteLength !== length) throw new ImageError("corrupt", "the xz stream ends early");
    return bytes;
  };

/** Chunks of LZMA2, until the one that says that there are no more. @param reach bytes that matches reach back */
export async function* lzma2(take: Take, reach: number): AsyncGenerator<Buffer> {
  const window = new Window(reach, MOST_OF_A_CHUNK);
  let model: Lzma | null = null;
  let properties: number | null = null;
  for (let fresh = true; ; fresh = false) {
    const control = (await take(1))[0]!;
    if (control === 0) return;
    const resets = control >= 0xe0 || control === 1;
    if (fresh && !resets) throw new ImageError("corrupt", "an LZMA2 stream goes on from nothing");
    if (resets) window.reset();
    if (control < 0x80) {
      if (control > 2) throw new ImageError("corrupt", `${control} begins no chunk of LZMA2`);
      const plain = await take((await take(2)).readUInt16BE(0) + 1);
      for (const byte of plain) window.put(byte);
      yield plain;
      continue;
    }
    const sizes = await take(4);
    const length = ((control & 0x1f) << 16) + sizes.readUInt16BE(0) + 1;
    if (control >= 0xc0) properties = (await take(1))[0]!;
    if (properties === null) throw new ImageError("corrupt", "an LZMA2 stream has no properties");
    if (control >= 0xa0) model = new Lzma(properties);
    if (model === null) throw new ImageError("corrupt", "an LZMA2 stream has no state");
    model.read(new RangeDecoder(await take(sizes.readUInt16BE(2) + 1)), window, length);
    yield window.last(length);
  }
}
