import type { Digest } from "@mayfly/contract";

/** The documents of the OCI image spec 1.1 (manifest.md, config.md), in its own spelling. */
export const MANIFEST_MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json";
export const CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json";
export const LAYER_MEDIA_TYPE = {
  none: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;
export type LayerMediaType = (typeof LAYER_MEDIA_TYPE)[keyof typeof LAYER_MEDIA_TYPE];

export interface Descriptor<MediaType extends string = string> {
  readonly mediaType: MediaType;
  readonly digest: Digest;
  readonly size: number;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: typeof MANIFEST_MEDIA_TYPE;
  readonly config: Descriptor<typeof CONFIG_MEDIA_TYPE>;
  /** Bottom first. */
  readonly layers: readonly Descriptor<LayerMediaType>[];
}

/** How to run the image: the member `config` of the image's configuration. */
export interface OciConfig {
  readonly User: string;
  /** `NAME=value`. */
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly ExposedPorts: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly Volumes: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly StopSignal: string;
}

export interface HistoryEntry {
  readonly created: string;
  readonly created_by: string;
  /** True when the step made no layer: it has no diff_id then. */
  readonly empty_layer?: boolean;
}

export interface ImageConfig {
  readonly created: string;
  readonly architecture: string;
  readonly os: string;
  readonly config: Partial<OciConfig>;
  /** diff_ids are of the uncompressed tars, bottom first; the manifest's digests are of the blobs as stored. */
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history: readonly HistoryEntry[];
}

/** A layer in the store. */
export interface Layer {
  /** Of the blob as stored. */
  readonly digest: Digest;
  /** Of the uncompressed tar. */
  readonly diff_id: Digest;
  /** Of the blob as stored. */
  readonly size_bytes: number;
  readonly media_type: LayerMediaType;
}

export interface Image {
  /** Of the manifest. */
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}
