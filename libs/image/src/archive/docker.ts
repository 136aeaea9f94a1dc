import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import { putJson } from "../image/create.ts";
import { LARGEST_DOCUMENT_BYTES } from "../image/document.ts";
import { measure } from "../layer/add.ts";
import type { LayerLimits } from "../layer/limits.ts";
import { type Descriptor, LAYER_MEDIA_TYPE, type Manifest, MEDIA_TYPE } from "../oci.ts";
import { parseReference } from "../reference.ts";
import type { ArchiveContents } from "./contents.ts";
import type { Loaded } from "./load.ts";

interface Described {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

/**
 * The images that `manifest.json` describes (moby, image/tarexport). Such an archive has no manifests: each image gets one, over its
 * config byte for byte and its layers as they lie there.
 */
export async function dockerImages(
  bytes: Buffer,
  contents: ArchiveContents,
  parts: { readonly blobs: BlobStore; readonly limits: LayerLimits },
): Promise<Loaded[]> {
  const images: Loaded[] = [];
  for (const { Config, RepoTags, Layers } of parseDescribed(bytes)) {
    const config = contents.blob(Config);
    const { byteLength } = await parts.blobs.read(config, LARGEST_DOCUMENT_BYTES);
    const layers: Descriptor[] = [];
    for (const path of Layers) layers.push(await descriptorOf(path, contents, parts));
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: { mediaType: MEDIA_TYPE.config, digest: config, size: byteLength },
      layers,
    };
    const tags = RepoTags ?? [];
    for (const tag of tags) parseReference(tag);
    images.push({ digest: (await putJson(manifest, parts.blobs)).digest, tags });
  }
  return images;
}

async function descriptorOf(
  path: string,
  contents: ArchiveContents,
  { blobs, limits }: { readonly blobs: BlobStore; readonly limits: LayerLimits },
): Promise<Descriptor> {
  const digest = contents.blob(path);
  const { compression, size_bytes } = await measure(digest, blobs, limits);
  return { mediaType: LAYER_MEDIA_TYPE[compression], digest, size: size_bytes };
}

function parseDescribed(bytes: Buffer): Described[] {
  const wrong = (why: string) => new ImageError("corrupt", `the archive's manifest.json cannot be used: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw wrong((error as Error).message);
  }
  if (!Array.isArray(value) || value.length === 0) throw wrong("it is no list of images");
  for (const image of value as Partial<Described>[]) {
    if (typeof image?.Config !== "string") throw wrong("an image has no Config");
    if (!isTexts(image.Layers)) throw wrong("an image has no Layers");
    if (image.RepoTags != null && !isTexts(image.RepoTags)) throw wrong("RepoTags are no list of names");
  }
  return value;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === "string");
