import type { BlobStore } from "../blob/blob-store.ts";
import { HOST_PLATFORM } from "../image/platform.ts";
import type { Platform } from "../oci.ts";
import { type Fetched, fetchImage } from "./fetch-image.ts";
import { Flights } from "./flights.ts";
import { Gate } from "./gate.ts";
import type { OnProgress } from "./progress.ts";
import { RETRY, type RetryPolicy } from "./retry.ts";
import type { ImageSource } from "./source.ts";

/** How a caller of a long move follows it, and ends it. */
export interface Moving {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface ImporterOptions {
  readonly blobs: BlobStore;
  /** An image of more bytes than this, as stored, is refused. */
  readonly most_bytes: number;
  readonly retry?: RetryPolicy;
  /** Blobs that move at once. */
  readonly parallel?: number;
}

/** Fetches images from any source into one blob store. Callers that share one fetch each blob once. */
export interface Importer {
  /**
   * @param reference a tag or a digest, as the source knows it
   * @param options.platform of an index; this host's by default. `all` fetches every manifest of it.
   * @throws ImageError; blobs that came before it stay, no manifest does
   */
  fetch(source: ImageSource, reference: string, options?: Moving & { platform?: Platform | "all" }): Promise<Fetched>;
}

export const PARALLEL = 4;
export const NEVER: AbortSignal = new AbortController().signal;

export function imageImporter({ blobs, most_bytes, retry = RETRY, parallel = PARALLEL }: ImporterOptions): Importer {
  const [flights, gate] = [new Flights(), new Gate(parallel)];
  return {
    fetch: (source, reference, { platform = HOST_PLATFORM, signal = NEVER, onProgress = () => {} } = {}) =>
      fetchImage(source, reference, { blobs, platform, most_bytes, retry, gate, flights, signal, onProgress }),
  };
}
