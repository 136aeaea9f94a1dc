import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { canonicalJson } from "../canonical-json.ts";
import { hexOf } from "../digest.ts";
import { LARGEST_DOCUMENT_BYTES, readDocument } from "../image/document.ts";
import { readImage } from "../image/read.ts";
import type { FileEntry, LayerEntry } from "../layer/entry.ts";
import { tarOf } from "../layer/to-tar.ts";
import type { Descriptor } from "../oci.ts";
import { parseReference } from "../reference.ts";

/** An image to be saved, and the tags that it is to have where it is loaded. */
export interface Saved {
  readonly digest: Digest;
  /** `name:tag` */
  readonly tags: readonly string[];
}

/**
 * - `oci`: an OCI image layout in a tar (image-layout.md)
 * - `docker`: the same with `manifest.json` beside it, as Docker writes it since version 25: older ones and other tools read that
 */
export type ArchiveFormat = "oci" | "docker";

const ATTRIBUTES = { mode: 0o644, uid: 0, gid: 0, mtime_s: 0 } as const;

/**
 * A tar of images with all that they reach, each blob once, as it is stored: manifests keep their digests, layers their packing.
 * Equal images give equal bytes. Blobs stream. @throws ImageError out of the stream: `missing`, `corrupt`
 */
export async function* save(
  images: readonly Saved[],
  format: ArchiveFormat,
  blobs: BlobStore,
): AsyncGenerator<Uint8Array> {
  const reached = new Map<Digest, number>();
  const roots: Descriptor[] = [];
  for (const { digest, tags } of images) {
    const root = await reach(digest, blobs, reached);
    for (const tag of tags) roots.push({ ...root, annotations: annotationsOf(tag) });
    if (tags.length === 0) roots.push(root);
  }
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: roots };
  const documents = [document("oci-layout", { imageLayoutVersion: "1.0.0" }), document("index.json", index)];
  if (format === "docker") documents.push(...(await dockerDocuments(images, blobs)));
  yield* tarOf([...documents, directory("blobs"), directory("blobs/sha256"), ...blobEntries(reached, blobs)]);
}

/** What others go by to name what they load (image-spec annotations.md; containerd and Docker take the second). */
const annotationsOf = (tag: string) => ({
  "org.opencontainers.image.ref.name": tag,
  "io.containerd.image.name": tag,
});

/** Notes all blobs below a manifest or index with their sizes; of an index those that are here. */
async function reach(digest: Digest, blobs: BlobStore, reached: Map<Digest, number>): Promise<Descriptor> {
  const { byteLength: size } = await blobs.read(digest, LARGEST_DOCUMENT_BYTES);
  const document = await readDocument(digest, blobs);
  reached.set(digest, size);
  if (document.kind === "index") {
    for (const part of document.index.manifests)
      if (await blobs.has(part.digest)) await reach(part.digest, blobs, reached);
  } else {
    for (const part of [document.manifest.config, ...document.manifest.layers]) reached.set(part.digest, part.size);
  }
  return { mediaType: document.mediaType, digest, size };
}

async function dockerDocuments(images: readonly Saved[], blobs: BlobStore): Promise<FileEntry[]> {
  const manifest: object[] = [];
  const repositories: Record<string, Record<string, string>> = {};
  for (const { digest, tags } of images) {
    const { manifest: found } = await readImage(digest, blobs);
    const Layers = found.layers.map((layer) => pathOf(layer.digest));
    manifest.push({ Config: pathOf(found.config.digest), RepoTags: tags, Layers });
    for (const tag of tags) {
      const reference = parseReference(tag);
      repositories[reference.name] ??= {};
      repositories[reference.name]![reference.tag] = hexOf(found.layers.at(-1)?.digest ?? found.config.digest);
    }
  }
  return [document("manifest.json", manifest), document("repositories", repositories)];
}

function* blobEntries(reached: ReadonlyMap<Digest, number>, blobs: BlobStore): Generator<LayerEntry> {
  for (const [digest, size_bytes] of reached) {
    yield { type: "file", path: pathOf(digest), ...ATTRIBUTES, size_bytes, content: () => blobs.open(digest) };
  }
}

const pathOf = (digest: Digest) => `blobs/sha256/${hexOf(digest)}`;
const directory = (path: string): LayerEntry => ({ type: "directory", path, ...ATTRIBUTES, mode: 0o755 });

function document(path: string, value: unknown): FileEntry {
  const content = Buffer.from(canonicalJson(value));
  return { type: "file", path, ...ATTRIBUTES, size_bytes: content.byteLength, content };
}
