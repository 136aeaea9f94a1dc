const BUFFER_BYTES = 64 * 1024;
/** What is larger goes through as it is. */
const SMALL_BYTES = 16 * 1024;

/** The same bytes in fewer chunks: headers and small files are copied together, large chunks are passed on. */
export async function* coalesced(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let used = 0;
  for await (const chunk of source) {
    const isLarge = chunk.byteLength > SMALL_BYTES;
    if (used > 0 && (isLarge || chunk.byteLength > BUFFER_BYTES - used)) {
      yield buffer.subarray(0, used);
      buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES); // Whoever took the last one may still hold it.
      used = 0;
    }
    if (isLarge) yield chunk;
    else {
      buffer.set(chunk, used);
      used += chunk.byteLength;
    }
  }
  if (used > 0) yield buffer.subarray(0, used);
}
