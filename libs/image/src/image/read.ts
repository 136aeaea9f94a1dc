import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { isDigest } from "../digest.ts";
import { ImageError } from "../error.ts";
import { type Image, type ImageConfig, isImageConfig, type Manifest, type Platform } from "../oci.ts";
import { LARGEST_DOCUMENT_BYTES, parseJson, readDocument } from "./document.ts";
import { formatPlatform, HOST_PLATFORM, manifestsFor } from "./platform.ts";

/** Indexes in indexes, before somebody is taken to be joking. */
const DEEPEST_INDEX = 4;

/**
 * Reads manifest and config, each verified. Of an index, the image for the platform.
 * @throws ImageError `missing`, `corrupt`, `unsupported`
 */
export async function readImage(digest: Digest, blobs: BlobStore, platform: Platform = HOST_PLATFORM): Promise<Image> {
  const picked = await pick(digest, blobs, platform, DEEPEST_INDEX);
  if (picked === null) throw new ImageError("missing", `${digest} has no image for ${formatPlatform(platform)}`);
  const config = checkConfig(
    picked.manifest,
    parseJson(
      await blobs.read(picked.manifest.config.digest, LARGEST_DOCUMENT_BYTES),
      `the config ${picked.manifest.config.digest}`,
    ),
  );
  return { ...picked, config };
}

async function pick(
  digest: Digest,
  blobs: BlobStore,
  platform: Platform,
  depth: number,
): Promise<Omit<Image, "config"> | null> {
  const document = await readDocument(digest, blobs);
  if (document.kind === "manifest") return { digest, manifest: checkManifest(digest, document.manifest) };
  if (depth === 0) throw new ImageError("unsupported", `the indexes in ${digest} lie more than ${DEEPEST_INDEX} deep`);
  for (const fitting of manifestsFor(document.index.manifests, platform)) {
    const found = await pick(fitting.digest, blobs, platform, depth - 1);
    if (found) return found;
  }
  return null;
}

function checkManifest(digest: Digest, manifest: Manifest): Manifest {
  if (!isImageConfig(manifest.config.mediaType)) {
    throw new ImageError(
      "unsupported",
      `${digest} is no image that can be run: its config is ${manifest.config.mediaType}`,
    );
  }
  return manifest;
}

function checkConfig(manifest: Manifest, value: Record<string, unknown>): ImageConfig {
  const config = value as unknown as ImageConfig;
  const wrong = (what: string) =>
    new ImageError("corrupt", `the config ${manifest.config.digest} cannot be used: ${what}`);
  const diffIds = config.rootfs?.diff_ids ?? (manifest.layers.length === 0 ? [] : undefined);
  if (!Array.isArray(diffIds)) throw wrong("it has no rootfs.diff_ids");
  if (!diffIds.every(isDigest)) throw wrong("one of its diff_ids is no digest");
  if (diffIds.length !== manifest.layers.length) {
    throw wrong(`it has ${diffIds.length} diff_ids for ${manifest.layers.length} layers`);
  }
  return {
    ...config,
    created: config.created ?? "1970-01-01T00:00:00Z",
    rootfs: { type: "layers", diff_ids: diffIds },
    config: config.config ?? {},
    history: config.history ?? [],
  };
}
