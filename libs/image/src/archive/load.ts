import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import { parseDocument, parseJson } from "../image/document.ts";
import type { LayerLimits } from "../layer/limits.ts";
import { parseReference } from "../reference.ts";
import { ArchiveContents } from "./contents.ts";
import { dockerImages } from "./docker.ts";
import { verifier } from "./verify.ts";

export interface Loaded {
  readonly digest: Digest;
  /** `name:tag`; they are set when `load` returns. Empty when the archive gives the image no name. */
  readonly tags: readonly string[];
}

/**
 * Reads images out of an archive that `save`, Docker, skopeo, podman or buildah wrote: an OCI image layout, or `manifest.json` with files
 * beside it; plain, gzip or zstd. Every layer is read to see that it is the one that its config names. Tags are for the caller to set.
 * @throws ImageError; blobs that came already stay until gc
 */
export async function load(
  source: AsyncIterable<Uint8Array>,
  parts: { readonly blobs: BlobStore; readonly limits: LayerLimits },
): Promise<Loaded[]> {
  const contents = await ArchiveContents.read(source, parts.blobs, parts.limits);
  const index = contents.document("index.json");
  const manifest = contents.document("manifest.json");
  if (!index && !manifest) {
    throw new ImageError("unsupported", "the archive has neither index.json nor manifest.json: it holds no images");
  }
  // An archive of Docker's has both; only the index keeps manifests as they were.
  const found = index ? ociImages(index) : await dockerImages(manifest!, contents, parts);
  const verify = verifier(parts);
  for (const { digest } of found) await verify(digest);
  return found;
}

function ociImages(bytes: Buffer): Loaded[] {
  // In a layout the index often does not say what it is (image-layout.md).
  const document = parseDocument(
    Buffer.from(JSON.stringify({ schemaVersion: 2, ...parseJson(bytes, "index.json") })),
    "index.json",
  );
  if (document.kind !== "index") throw new ImageError("corrupt", "the archive's index.json is no index");
  const tags = new Map<Digest, string[]>();
  for (const { digest, annotations } of document.index.manifests) {
    const name = nameOf(annotations ?? {});
    const known = tags.get(digest) ?? [];
    tags.set(digest, name === null || known.includes(name) ? known : [...known, name]);
  }
  return [...tags].map(([digest, named]) => ({ digest, tags: named }));
}

/** `ref.name` may be a tag alone, which names nothing by itself. */
function nameOf(annotations: Readonly<Record<string, string>>): string | null {
  for (const key of ["io.containerd.image.name", "org.opencontainers.image.ref.name"]) {
    const name = annotations[key];
    if (name === undefined || (key.startsWith("org.") && !/[:/]/.test(name))) continue;
    parseReference(name);
    return name;
  }
  return null;
}
