import type { Readable } from "node:stream";
import type { Digest } from "@mayfly/contract";

export interface BlobInfo {
  readonly digest: Digest;
  readonly size_bytes: number;
}

/**
 * Bytes by their digest. Each backend passes the suite of conformance.ts.
 *
 * A blob is there whole or not at all, whatever is killed when; once `put` has returned it outlives a power cut. Reading is never
 * trusted: every read hashes what it gives.
 */
export interface BlobStore {
  /**
   * Stores bytes. Putting what is there already changes nothing but its age (and replaces a damaged copy).
   * @throws ImageError `refused` when the bytes are not those of `expect`, `no_space`, `io`, or what the source threw; then
   * nothing was stored and nothing is left behind.
   */
  put(source: Uint8Array | AsyncIterable<Uint8Array>, options?: { readonly expect?: Digest }): Promise<BlobInfo>;

  /**
   * Stores a file by moving it, when its bytes are those of `expect`: read once, written never. The file must lie on the store's file
   * system and nobody may write to it any more. Where this throws, the file stays where it was.
   * @throws ImageError `refused` when the bytes are others, `no_space`, `io`
   */
  take(path: string, expect: Digest): Promise<BlobInfo>;

  /**
   * Streams a blob. **The stream fails at its end when the bytes are not the digest's**: act on them only after it has ended.
   * It fails with ImageError `missing` or `corrupt`.
   */
  open(digest: Digest): Readable;

  /**
   * Streams the bytes from `start` up to, not including, `end`. **A part has no digest: these are not verified**, whoever puts parts
   * together checks the whole. It fails with ImageError `missing`.
   */
  openRange(digest: Digest, start: number, end: number): Readable;

  /** The whole blob, verified. @throws ImageError `missing`, `corrupt`, or `refused` when it is larger than `maxBytes`. */
  read(digest: Digest, maxBytes: number): Promise<Buffer>;

  /** Whether a blob of this name is there, and then marks it as used now, as `put` does. Its bytes are not looked at. */
  has(digest: Digest): Promise<boolean>;

  /** All blobs in no order, with the time of their last `put` or `has`. */
  list(): AsyncIterable<BlobInfo & { readonly used_at: Date }>;

  /**
   * Forgets a blob that was not used since `unusedSince` (null: whenever it was). True when it was there and is no more.
   * Whoever was told by `has` or `put` after `unusedSince` that a blob is there can rely on it.
   */
  remove(digest: Digest, unusedSince: Date | null): Promise<boolean>;

  /** Takes a blob that is not what its digest says out of sight, and keeps its bytes for whoever wants to look at them. */
  quarantine(digest: Digest): Promise<void>;
}
