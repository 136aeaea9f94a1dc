import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { canonicalJson } from "../canonical-json.ts";
import { ImageError } from "../error.ts";
import {
  CONFIG_MEDIA_TYPE,
  type HistoryEntry,
  type Image,
  type ImageConfig,
  type Layer,
  MANIFEST_MEDIA_TYPE,
  type Manifest,
  type OciConfig,
} from "../oci.ts";
import { readImage } from "./read.ts";

export interface NewImage {
  /** Manifest of the image that this one goes on from, or null to start from nothing. */
  readonly base: Digest | null;
  /** Laid over the base, bottom first. */
  readonly layers: readonly Layer[];
  /** Each member that is given replaces the base's. */
  readonly config: Partial<OciConfig>;
  /** How each layer was made, in the layers' order; without layers, what was changed. */
  readonly history: readonly string[];
  readonly created: Date;
}

/** Node's names of architectures are not Go's, which OCI uses (config.md, `architecture`). */
const GO_ARCHITECTURE: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** Writes config and manifest; equal inputs give equal digests. @returns the manifest's digest. */
export async function createImage(wanted: NewImage, blobs: BlobStore): Promise<Digest> {
  if (wanted.layers.length > 0 && wanted.history.length !== wanted.layers.length) {
    throw new ImageError("refused", `${wanted.layers.length} layers have ${wanted.history.length} lines of history`);
  }
  for (const layer of wanted.layers) {
    if (!(await blobs.has(layer.digest)))
      throw new ImageError("missing", `the layer ${layer.digest} is not in the store`);
  }
  const base = wanted.base === null ? null : await readImage(wanted.base, blobs);
  const config = await putJson(configOf(wanted, base), blobs);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    config: { mediaType: CONFIG_MEDIA_TYPE, digest: config.digest, size: config.size_bytes },
    layers: [
      ...(base?.manifest.layers ?? []),
      ...wanted.layers.map((layer) => ({
        mediaType: layer.media_type,
        digest: layer.digest,
        size: layer.size_bytes,
      })),
    ],
  };
  return (await putJson(manifest, blobs)).digest;
}

function configOf(wanted: NewImage, base: Image | null): ImageConfig {
  const created = rfc3339(wanted.created);
  const history = wanted.history.map(
    (created_by): HistoryEntry => ({ created, created_by, ...(wanted.layers.length > 0 ? {} : { empty_layer: true }) }),
  );
  return {
    created,
    architecture: base?.config.architecture ?? GO_ARCHITECTURE[process.arch] ?? process.arch,
    os: "linux",
    config: { ...base?.config.config, ...wanted.config },
    rootfs: {
      type: "layers",
      diff_ids: [...(base?.config.rootfs.diff_ids ?? []), ...wanted.layers.map((layer) => layer.diff_id)],
    },
    history: [...(base?.config.history ?? []), ...history],
  };
}

/** RFC 3339 without fractions when there are none, as Go writes it. */
const rfc3339 = (date: Date) => date.toISOString().replace(".000Z", "Z");

const putJson = (value: unknown, blobs: BlobStore) => blobs.put(Buffer.from(canonicalJson(value)));
