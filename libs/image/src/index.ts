export type { Import } from "./archive/flat.ts";
export type { Loaded } from "./archive/load.ts";
export type { ArchiveFormat, Saved } from "./archive/save.ts";
export type { BlobInfo, BlobStore } from "./blob/blob-store.ts";
export { openBlobStore } from "./blob/open.ts";
export { decompressedArchive } from "./compression/archive.ts";
export { type Compression, decompressed } from "./compression/decompress.ts";
export { ImageError, type ImageErrorReason } from "./error.ts";
export type { CheckOptions, CheckReport } from "./image/check.ts";
export type { Commit } from "./image/commit.ts";
export type { NewHistory, NewImage } from "./image/create.ts";
export { LARGEST_DOCUMENT_BYTES } from "./image/document.ts";
export type { Swept } from "./image/gc.ts";
export type { HistoryStep } from "./image/history.ts";
export { formatPlatform, HOST_PLATFORM, isFor, parsePlatform } from "./image/platform.ts";
export type { ImageStore, ListedImage } from "./image-store.ts";
export type { WritableLayer } from "./layer/diff.ts";
export type {
  DeviceEntry,
  DirectoryEntry,
  FifoEntry,
  FileEntry,
  HardLinkEntry,
  LayerEntry,
  OpaqueEntry,
  SymlinkEntry,
  WhiteoutEntry,
} from "./layer/entry.ts";
export { entriesOfTar } from "./layer/from-tar.ts";
export { LAYER_LIMITS, type LayerLimits } from "./layer/limits.ts";
export type {
  Descriptor,
  HistoryEntry,
  Image,
  ImageConfig,
  Index,
  Layer,
  LayerMediaType,
  Manifest,
  OciConfig,
  Platform,
} from "./oci.ts";
export { MEDIA_TYPE } from "./oci.ts";
export { formatTag, parseReference, type Reference } from "./reference.ts";
export type { Credential } from "./registry/authorizer.ts";
export { type RegistryClient, type RegistryClientOptions, registryClient } from "./registry/client.ts";
export type { CourierPrograms } from "./registry/courier/process.ts";
export { Unavailable } from "./registry/failure.ts";
export type { Fetched } from "./registry/fetch-image.ts";
export { type Importer, imageImporter } from "./registry/importer.ts";
export type { BlobProgress, OnProgress } from "./registry/progress.ts";
export { formatRemote, parseRemoteReference, type RemoteReference } from "./registry/remote-reference.ts";
export { RETRY } from "./registry/retry.ts";
export type { ImageSource } from "./registry/source.ts";
export { type DockerRegistry, startDockerRegistry } from "./registry/testing/docker-registry.ts";
export { type Front, startFront } from "./registry/testing/front.ts";
export { type Found, lookUp } from "./snapshot/look-up.ts";
export { readFileOf } from "./snapshot/read-file.ts";
export { openImageStore, type StoreOptions } from "./store.ts";
export type { Tagged } from "./tags.ts";
