export type { BlobInfo, BlobStore } from "./blob/blob-store.ts";
export { openBlobStore } from "./blob/open.ts";
export { ImageError, type ImageErrorReason } from "./error.ts";
export type { CheckReport } from "./image/check.ts";
export type { NewImage } from "./image/create.ts";
export type { Swept } from "./image/gc.ts";
export type { Compression } from "./layer/add.ts";
export type { DirectoryEntry, FileEntry, LayerEntry, SymlinkEntry } from "./layer/entry.ts";
export { entriesOfTar } from "./layer/tar-read.ts";
export { entriesOfTree } from "./layer/tree.ts";
export type {
  Descriptor,
  HistoryEntry,
  Image,
  ImageConfig,
  Layer,
  LayerMediaType,
  Manifest,
  OciConfig,
} from "./oci.ts";
export { formatTag, parseReference, type Reference } from "./reference.ts";
export type { Credential } from "./registry/authorizer.ts";
export { type RegistryClient, type RegistryClientOptions, registryClient } from "./registry/client.ts";
export type { Fetched } from "./registry/fetch-image.ts";
export { formatPlatform, hostPlatform, type Platform } from "./registry/platform.ts";
export type { BlobProgress, OnProgress } from "./registry/progress.ts";
export { formatRemote, parseRemoteReference, type RemoteReference } from "./registry/remote-reference.ts";
export { type DockerRegistry, startDockerRegistry } from "./registry/testing/docker-registry.ts";
export { type Front, startFront } from "./registry/testing/front.ts";
export { type ImageStore, type ListedImage, openImageStore } from "./store.ts";
