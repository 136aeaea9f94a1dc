import type { BoxChange, Digest, RootFs } from "@mayfly/contract";
import type { Import } from "./archive/flat.ts";
import type { Loaded } from "./archive/load.ts";
import type { ArchiveFormat, Saved } from "./archive/save.ts";
import type { BlobStore } from "./blob/blob-store.ts";
import type { Compression } from "./compression/decompress.ts";
import type { CheckOptions, CheckReport } from "./image/check.ts";
import type { Commit } from "./image/commit.ts";
import type { NewImage } from "./image/create.ts";
import type { Swept } from "./image/gc.ts";
import type { HistoryStep } from "./image/history.ts";
import type { WritableLayer } from "./layer/diff.ts";
import type { LayerEntry } from "./layer/entry.ts";
import type { Image, Layer, Platform } from "./oci.ts";
import type { Tagged } from "./tags.ts";

export interface ListedImage {
  /** Of the manifest, or of the index when the tag points at one. */
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly created: string;
  readonly architecture: string;
  readonly layers: number;
  /** Blobs of its layers, as stored; layers may be shared with other images. */
  readonly size_bytes: number;
}

/** Images on disk: blobs, layers, manifests, tags, and layers unpacked for overlayfs. Every method throws ImageError. */
export interface ImageStore {
  readonly blobs: BlobStore;

  /** Makes a layer of entries in any order. Equal entries give equal layers. */
  addLayer(
    entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>,
    options: { readonly compression: Compression },
  ): Promise<Layer>;
  /** Keeps a layer that somebody else made, gzip, zstd or plain tar, byte for byte. It is looked into when it is unpacked. */
  adoptLayer(tar: AsyncIterable<Uint8Array>): Promise<Layer>;
  /**
   * What a layer holds, whiteouts included, in its tar's order, each entry checked; the content of a file is read before the next entry is
   * asked for. Nothing is unpacked. It fails with ImageError, at the latest at its end when the blob is damaged.
   */
  layerEntries(layer: Digest): AsyncIterable<LayerEntry>;
  /** The same of a tar, packed or not, that is no layer of the store, within the limits of layers. */
  tarEntries(tar: AsyncIterable<Uint8Array>): AsyncIterable<LayerEntry>;
  /** Writes config and manifest. @returns the manifest's digest: equal inputs, equal digest. */
  createImage(image: NewImage): Promise<Digest>;
  /** Manifest and config; of an index, those for `platform` (this host's by default). */
  image(digest: Digest, platform?: Platform): Promise<Image>;

  /**
   * Points `name[:tag]` at a manifest or index that is here with all its parts (of an index, at least one image).
   * It takes the place of what the tag pointed at, as a whole.
   */
  tag(reference: string, digest: Digest): Promise<void>;
  /** True when the tag was there. The image stays until gc. */
  untag(reference: string): Promise<boolean>;
  /** What a tag, a `name@digest` or a digest stands for: a manifest or an index; null when it is not here. */
  resolve(reference: string): Promise<Digest | null>;
  /** `name:tag` → digest, sorted. */
  tags(): Promise<ReadonlyMap<string, Digest>>;
  /** The tagged images that run on this host. */
  images(): Promise<readonly ListedImage[]>;
  /** What a tag pointed at, the latest first. */
  tagLog(reference: string): Promise<readonly Tagged[]>;
  /** Points a tag back at what it pointed at before what it points at now, or at `to`, which is in its log. */
  rollback(reference: string, to?: Digest): Promise<Digest>;

  /**
   * Unpacks what is missing, once however many ask, and gives the lower directories for overlayfs, topmost first. `over`: layers on the
   * image's own, bottom first, of which no image need be made yet.
   */
  rootfs(digest: Digest, over?: readonly Layer[]): Promise<RootFs>;

  /** How an image came to be, the latest step first. */
  history(digest: Digest): Promise<readonly HistoryStep[]>;

  /** Makes a layer of what a box of an image wrote; null when it wrote nothing. Equal changes give equal layers. */
  diff(image: Digest, writable: WritableLayer, options: { readonly compression: Compression }): Promise<Layer | null>;
  /** Makes an image of an image and what a box wrote over it. @returns the manifest's digest; tag it, or gc takes it. */
  commit(commit: Commit): Promise<Digest>;
  /** What a box of an image changed, in layer order; paths begin with a slash. */
  changes(image: Digest, writable: WritableLayer): AsyncIterable<BoxChange>;
  /** The root file system of a box in one tar: its image's, and over it what it wrote. */
  exportBox(image: Digest, writable: WritableLayer): AsyncIterable<Uint8Array>;

  /**
   * A tar of images with all that they reach: an OCI image layout; `docker` has manifest.json beside it. History, layers and digests are
   * kept. The stream fails when something is missing or damaged.
   */
  save(images: readonly Saved[], format: ArchiveFormat): AsyncIterable<Uint8Array>;
  /**
   * Reads what `save`, Docker, skopeo, podman or buildah wrote, verifies all of it, and sets its tags: all of them, or none when
   * `acceptTag` throws for one.
   */
  load(
    archive: AsyncIterable<Uint8Array>,
    options?: { readonly acceptTag?: (tag: string) => void },
  ): Promise<readonly Loaded[]>;
  /** The root file system in one tar. Layers, history and configuration are lost. */
  export(digest: Digest): AsyncIterable<Uint8Array>;
  /** Makes an image of one layer of such a tar, and unpacks it to see that it can be. Tag it, or gc takes it. */
  import(tar: AsyncIterable<Uint8Array>, options: Import): Promise<Digest>;

  /** Resolves when what was unpacked is on disk too. Nobody needs to wait: what a power cut comes before is unpacked again. */
  synced(): Promise<void>;

  /** Sweeps what neither a tag, nor its log, nor an image of `keep` reaches and what was last used before `before`. */
  gc(roots: { readonly keep: Iterable<Digest>; readonly before: Date }): Promise<Swept>;
  /** Reads everything and says what is wrong. Changes nothing unless it is told to mend. */
  fsck(options?: CheckOptions): Promise<CheckReport>;
}
