import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { canonicalJson } from "../canonical-json.ts";
import { ImageError } from "../error.ts";
import {
  type Descriptor,
  type HistoryEntry,
  type Image,
  type ImageConfig,
  LAYER_MEDIA_TYPE,
  type Layer,
  type Manifest,
  MEDIA_TYPE,
  type OciConfig,
} from "../oci.ts";
import { HOST_PLATFORM } from "./platform.ts";
import { readImage } from "./read.ts";

/** A step in an image's history; without a time of its own it is given the image's. */
export type NewHistory = Omit<HistoryEntry, "created"> & { readonly created?: Date };

export interface NewImage {
  /** Manifest of the image that this one goes on from, or null to start from nothing. */
  readonly base: Digest | null;
  /** Laid over the base, bottom first. */
  readonly layers: readonly Layer[];
  /** Each member that is given replaces the base's; undefined removes it. */
  readonly config: Partial<OciConfig>;
  /**
   * How it was made. Entries without `empty_layer` stand for the layers, in their order. A plain text is a `created_by`; without
   * layers it tells what was changed.
   */
  readonly history: readonly (string | NewHistory)[];
  readonly author?: string;
  readonly created: Date;
}

/** Writes config and manifest; equal inputs give equal digests. @returns the manifest's digest. */
export async function createImage(wanted: NewImage, blobs: BlobStore): Promise<Digest> {
  const history = historyOf(wanted);
  const made = history.filter(({ empty_layer }) => !empty_layer).length;
  if (made !== wanted.layers.length) {
    throw new ImageError("refused", `${wanted.layers.length} layers have ${made} lines of history`);
  }
  for (const layer of wanted.layers) {
    if (!(await blobs.has(layer.digest)))
      throw new ImageError("missing", `the layer ${layer.digest} is not in the store`);
  }
  const base = wanted.base === null ? null : await readImage(wanted.base, blobs);
  const config = await putJson(configOf(wanted, history, base), blobs);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: { mediaType: MEDIA_TYPE.config, digest: config.digest, size: config.size_bytes },
    layers: [
      ...(base?.manifest.layers ?? []).map(asOci),
      ...wanted.layers.map((layer) => ({
        mediaType: layer.media_type,
        digest: layer.digest,
        size: layer.size_bytes,
      })),
    ],
  };
  return (await putJson(manifest, blobs)).digest;
}

/** Docker's names of layers do not belong into an OCI manifest; the bytes are the same. */
function asOci(layer: Descriptor): Descriptor {
  const docker = /^application\/vnd\.docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.(gzip|zstd))?$/.exec(
    layer.mediaType,
  );
  if (!docker) return layer;
  return { ...layer, mediaType: LAYER_MEDIA_TYPE[(docker[1] ?? "none") as keyof typeof LAYER_MEDIA_TYPE] };
}

function historyOf({ history, layers, created }: NewImage): HistoryEntry[] {
  const time = rfc3339(created);
  return history.map((step) => {
    if (typeof step !== "string") return { ...step, created: step.created ? rfc3339(step.created) : time };
    return { created: time, created_by: step, ...(layers.length > 0 ? {} : { empty_layer: true }) };
  });
}

function configOf(wanted: NewImage, history: readonly HistoryEntry[], base: Image | null): ImageConfig {
  return {
    created: rfc3339(wanted.created),
    ...(wanted.author !== undefined && { author: wanted.author }),
    architecture: base?.config.architecture ?? HOST_PLATFORM.architecture,
    ...(base?.config.variant !== undefined && { variant: base.config.variant }),
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

export const putJson = (value: unknown, blobs: BlobStore) => blobs.put(Buffer.from(canonicalJson(value)));
