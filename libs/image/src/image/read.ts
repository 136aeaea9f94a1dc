import { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import {
  CONFIG_MEDIA_TYPE,
  type Image,
  type ImageConfig,
  LAYER_MEDIA_TYPE,
  MANIFEST_MEDIA_TYPE,
  type Manifest,
} from "../oci.ts";

/** What registries take as well (distribution spec, "Pushing manifests"). */
const LARGEST_DOCUMENT = 4 * 1024 * 1024;

/** Reads manifest and config, each verified. @throws ImageError `missing`, `corrupt`, `unsupported`. */
export async function readImage(digest: Digest, blobs: BlobStore): Promise<Image> {
  const manifest = checkManifest(digest, await readJson(digest, blobs));
  const config = checkConfig(manifest, await readJson(manifest.config.digest, blobs));
  return { digest, manifest, config };
}

async function readJson(digest: Digest, blobs: BlobStore): Promise<Record<string, unknown>> {
  const bytes = await blobs.read(digest, LARGEST_DOCUMENT);
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, with the digest.
  }
  throw new ImageError("corrupt", `the blob ${digest} is no JSON object, so it is neither manifest nor config`);
}

function checkManifest(digest: Digest, value: Record<string, unknown>): Manifest {
  const manifest = value as unknown as Manifest;
  const wrong = (what: string) =>
    new ImageError("unsupported", `the blob ${digest} is no manifest we can run: ${what}`);
  if (manifest.schemaVersion !== 2) throw wrong(`schemaVersion is ${String(manifest.schemaVersion)}`);
  if (manifest.mediaType !== MANIFEST_MEDIA_TYPE) throw wrong(`mediaType is ${String(manifest.mediaType)}`);
  if (manifest.config?.mediaType !== CONFIG_MEDIA_TYPE) throw wrong(`its config is ${manifest.config?.mediaType}`);
  if (!Array.isArray(manifest.layers)) throw wrong("it lists no layers");
  const layerTypes: readonly string[] = Object.values(LAYER_MEDIA_TYPE);
  for (const part of [manifest.config, ...manifest.layers]) {
    if (!Digest.safeParse(part?.digest).success) throw wrong(`"${part?.digest}" is no digest`);
  }
  for (const layer of manifest.layers) {
    if (!layerTypes.includes(layer.mediaType)) throw wrong(`a layer is ${layer.mediaType}`);
  }
  return manifest;
}

function checkConfig(manifest: Manifest, value: Record<string, unknown>): ImageConfig {
  const config = value as unknown as ImageConfig;
  const wrong = (what: string) =>
    new ImageError("corrupt", `the config ${manifest.config.digest} cannot be used: ${what}`);
  const diffIds = config.rootfs?.diff_ids;
  if (!Array.isArray(diffIds)) throw wrong("it has no rootfs.diff_ids");
  if (!diffIds.every((id) => Digest.safeParse(id).success)) throw wrong("one of its diff_ids is no digest");
  if (diffIds.length !== manifest.layers.length) {
    throw wrong(`it has ${diffIds.length} diff_ids for ${manifest.layers.length} layers`);
  }
  return { ...config, config: config.config ?? {}, history: config.history ?? [] };
}
