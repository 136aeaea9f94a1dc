import type { Digest } from "@mayfly/contract";

/** The documents of the OCI image spec 1.1 (manifest.md, image-index.md, config.md) and of Docker's schema 2, in their own spelling. */
export const MEDIA_TYPE = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
} as const;

/** Registries hold other things as manifests too (signatures, charts); nothing of those is ever unpacked. */
export const isImageConfig = (mediaType: string): boolean =>
  mediaType === MEDIA_TYPE.config || mediaType === MEDIA_TYPE.dockerConfig;

/** Of the layers that we make. Those of others are known by how their bytes begin. */
export const LAYER_MEDIA_TYPE = {
  none: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
} as const;
export type LayerMediaType = (typeof LAYER_MEDIA_TYPE)[keyof typeof LAYER_MEDIA_TYPE];

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes, as stored. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** Go's names: `linux`, `amd64`, `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface Manifest {
  readonly schemaVersion: 2;
  /** OCI lets it be left out. */
  readonly mediaType?: string;
  readonly config: Descriptor;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
}

/** Manifests of one image for several platforms; they may be indexes themselves. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
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
  /** Docker's: instructions for whoever builds on this image. */
  readonly OnBuild: readonly string[];
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True when the step made no layer: it has no diff_id then. */
  readonly empty_layer?: boolean;
}

export interface ImageConfig {
  readonly created: string;
  readonly author?: string;
  readonly architecture: string;
  readonly variant?: string;
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
