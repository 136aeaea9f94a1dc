import type { Count } from "../digest.ts";
import { ImageError } from "../error.ts";

export interface Expansion {
  /** Of the unpacked bytes to the packed ones, once there are more than `ratio_free_bytes` of the former. */
  readonly ratio: number;
  readonly ratio_free_bytes: number;
}

/** Stops at a bomb: at far more bytes than `packed` counts. */
export async function* bounded(
  source: AsyncIterable<Uint8Array>,
  packed: Readonly<Count>,
  { ratio, ratio_free_bytes }: Expansion,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > ratio_free_bytes + packed.size_bytes * ratio) {
      const found = `${size} bytes out of ${packed.size_bytes}`;
      throw new ImageError("refused", `the layer is packed more than ${ratio} times over: ${found}`);
    }
    yield chunk;
  }
}
