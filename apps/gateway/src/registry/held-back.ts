/**
 * Passes a stream on one chunk late. A blob's stream fails at its end when the bytes were not the right ones: so its last bytes are
 * never sent, and nobody takes a damaged blob for a whole one.
 */
export async function* heldBack(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | null = null;
  for await (const chunk of stream) {
    if (held) yield held;
    held = chunk;
  }
  if (held) yield held;
}
