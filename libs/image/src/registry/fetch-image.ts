import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { sha256 } from "../digest.ts";
import { ImageError } from "../error.ts";
import { type Document, LARGEST_DOCUMENT_BYTES, parseDocument } from "../image/document.ts";
import { formatPlatform, manifestsFor, offeredPlatforms } from "../image/platform.ts";
import type { Descriptor, Platform } from "../oci.ts";
import type { Flights } from "./flights.ts";
import type { Gate } from "./gate.ts";
import type { OnProgress } from "./progress.ts";
import { resumed } from "./resumed.ts";
import type { RetryPolicy } from "./retry.ts";
import type { ImageSource } from "./source.ts";

/** What one fetch needs besides where from and where to. */
export interface FetchContext {
  readonly blobs: BlobStore;
  /** An index gives the manifest of this platform; `all` gives every one of them, and the index as well. */
  readonly platform: Platform | "all";
  /** Of all blobs together, as stored. */
  readonly most_bytes: number;
  readonly retry: RetryPolicy;
  readonly gate: Gate;
  readonly flights: Flights;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

export interface Fetched {
  /** Of what the reference stands for at its source: a manifest or an index. */
  readonly digest: Digest;
  /** Of the manifest that is here now; of the index, when all of it was asked for. */
  readonly image: Digest;
}

/** Indexes in indexes are legal; nobody makes them deeper. */
const DEEPEST = 3;

/**
 * Fetches an image into a blob store: blobs first, then the manifest that names them, so that where a manifest is, its blobs are. Each
 * is kept byte for byte and checked by size and digest. @throws ImageError
 */
export async function fetchImage(source: ImageSource, reference: string, context: FetchContext): Promise<Fetched> {
  const { bytes, media_type } = await source.manifest(reference, context.signal);
  const digest = sha256(bytes);
  if (reference.startsWith("sha256:") && digest !== reference) {
    throw new ImageError("corrupt", `${source.name}: the manifest ${reference} came with the bytes of ${digest}`);
  }
  const document = parseDocument(bytes, `${source.name}: ${reference}`, media_type);
  const image = await fetchDocument({ source, bytes, digest, document, depth: 0 }, context);
  return { digest, image };
}

interface Found {
  readonly source: ImageSource;
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly document: Document;
  readonly depth: number;
}

async function fetchDocument(found: Found, context: FetchContext): Promise<Digest> {
  const { source, document, digest, bytes } = found;
  if (document.kind === "manifest") {
    await fetchBlobs(source, [document.manifest.config, ...document.manifest.layers], context);
  } else if (context.platform === "all") {
    for (const child of document.index.manifests) await fetchChild(child, found, context);
  } else {
    const [chosen] = manifestsFor(document.index.manifests, context.platform);
    if (chosen) return fetchChild(chosen, found, context);
    const offered = offeredPlatforms(document.index.manifests).join(", ") || "none";
    const wanted = formatPlatform(context.platform);
    throw new ImageError("missing", `${source.name} has no image for ${wanted}; it has ${offered}`);
  }
  await context.blobs.put(bytes, { expect: digest });
  return digest;
}

async function fetchChild(child: Descriptor, { source, depth }: Found, context: FetchContext): Promise<Digest> {
  if (depth === DEEPEST) throw new ImageError("unsupported", `${source.name}: its indexes are nested too deep`);
  if (child.size > LARGEST_DOCUMENT_BYTES) {
    throw new ImageError("unsupported", `${source.name}: the manifest ${child.digest} has ${child.size} bytes`);
  }
  const { bytes, media_type } = await source.manifest(child.digest, context.signal);
  const digest = sha256(bytes);
  if (digest !== child.digest || bytes.byteLength !== child.size) {
    throw new ImageError("corrupt", `${source.name}: the manifest ${child.digest} came with the bytes of ${digest}`);
  }
  const document = parseDocument(bytes, `${source.name}: ${digest}`, media_type ?? child.mediaType);
  return fetchDocument({ source, bytes, digest, document, depth: depth + 1 }, context);
}

/** A layer may be listed twice; it is fetched once. The first failure ends the others. */
async function fetchBlobs(source: ImageSource, listed: readonly Descriptor[], context: FetchContext): Promise<void> {
  const wanted = [...new Map(listed.map((one) => [one.digest, one])).values()];
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  if (total > context.most_bytes) {
    throw new ImageError("refused", `${source.name}: the image has ${total} bytes, ${context.most_bytes} are allowed`);
  }
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const all = wanted.map((one) =>
    fetchBlob(source, one, { ...context, signal }).catch((error) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(all);
  await Promise.all(all);
}

async function fetchBlob(source: ImageSource, wanted: Descriptor, context: FetchContext): Promise<void> {
  const { blobs, gate, flights, retry, onProgress, signal } = context;
  const { digest, size } = wanted;
  const at = (done_bytes: number) => ({ digest, size_bytes: size, done_bytes });
  if (await blobs.has(digest)) return onProgress({ ...at(size), state: "present" });
  await flights.join(digest, { onProgress, signal }, (tell, flying) =>
    gate.run(async () => {
      flying.throwIfAborted();
      // It may have come while this one stood in line.
      if (await blobs.has(digest)) return tell({ ...at(size), state: "present" });
      const onAgain = (done: number, reason: string) => tell({ ...at(done), state: "again", reason });
      let done = 0;
      const watched = async function* () {
        for await (const chunk of resumed(source, wanted, { retry, signal: flying, onAgain })) {
          done += chunk.byteLength;
          tell({ ...at(done), state: "moving" });
          yield chunk;
        }
      };
      await blobs.put(watched(), { expect: digest }).catch((error) => {
        throw error instanceof ImageError
          ? new ImageError(error.reason, `${source.name}: ${error.message}`, error)
          : error;
      });
      tell({ ...at(size), state: "done" });
    }),
  );
}
