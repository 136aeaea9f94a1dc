import { ImageError } from "../error.ts";
import type { Descriptor } from "../oci.ts";
import { Unavailable } from "./failure.ts";
import { Patience, type RetryPolicy } from "./retry.ts";
import type { ImageSource } from "./source.ts";

/**
 * A blob's bytes, whatever breaks on the way: each new try goes on where the last one ended. Exactly as many bytes as were announced
 * come out, or it throws; whether they are the right ones is for the store to say, which hashes them.
 */
export async function* resumed(
  source: ImageSource,
  { digest, size }: Descriptor,
  {
    retry,
    signal,
    onAgain,
  }: { retry: RetryPolicy; signal: AbortSignal; onAgain: (at: number, reason: string) => void },
): AsyncGenerator<Uint8Array> {
  const patience = new Patience(retry, signal);
  for (let at = 0; ; ) {
    try {
      for await (const chunk of await source.blob(digest, at, signal)) {
        if (at + chunk.byteLength > size) {
          throw new ImageError(
            "corrupt",
            `${source.name}: the blob ${digest} is longer than the ${size} bytes of its manifest`,
          );
        }
        at += chunk.byteLength;
        patience.renew();
        yield chunk;
      }
      if (at === size) return;
      throw new Unavailable(`it ended after ${at} of ${size} bytes`);
    } catch (error) {
      const known = error instanceof Unavailable ? error.during(`${source.name}: the blob ${digest}`) : error;
      await patience.after(known);
      onAgain(at, (error as Error).message);
    }
  }
}
