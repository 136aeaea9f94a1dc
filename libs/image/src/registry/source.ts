import type { Digest } from "@mayfly/contract";

/** Somewhere an image can be fetched from: a registry, or another store of ours at the end of a channel. Nothing it says is trusted. */
export interface ImageSource {
  /** For messages: `registry.example/app`. */
  readonly name: string;
  /** A document by tag or digest, no larger than LARGEST_DOCUMENT_BYTES, with what the source calls it. */
  manifest(
    reference: string,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Buffer; readonly media_type: string | null }>;
  /**
   * A blob's bytes from `from` on. What breaks on the way throws Unavailable, and is asked for again where it broke.
   * @throws Unavailable, ImageError
   */
  blob(digest: Digest, from: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}
