import { constants, createZstdCompress, type ZstdCompress } from "node:zlib";

const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };

/**
 * Packs as one zstd frame. The same bytes give the same frame, however they are cut into chunks: Node packs the last chunk together with
 * the frame's end when it happens to know already that it is the last, and zstd then writes another header and other blocks.
 */
export async function* zstdPacked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createZstdCompress({ params: PARAMS });
  const feeding = feed(stream, source).catch((error: Error) => void stream.destroy(error));
  try {
    yield* stream;
    await feeding;
  } finally {
    stream.destroy();
  }
}

/** The next chunk is made while one is packed; the end comes when the last of them has been. */
async function feed(stream: ZstdCompress, source: AsyncIterable<Uint8Array>): Promise<void> {
  let packing = Promise.resolve();
  for await (const chunk of source) {
    await packing;
    packing = new Promise((resolve, reject) => {
      stream.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
    packing.catch(() => {}); // Awaited above or below.
  }
  await packing;
  stream.end();
}
