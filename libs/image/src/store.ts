import { chmod, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Digest, RootFs } from "@mayfly/contract";
import type { BlobStore } from "./blob/blob-store.ts";
import { BlobDirectory } from "./blob/directory.ts";
import { isDigest } from "./digest.ts";
import { ImageError } from "./error.ts";
import { type CheckReport, checkStore } from "./image/check.ts";
import { createImage, type NewImage } from "./image/create.ts";
import { collectGarbage, type Swept } from "./image/gc.ts";
import { readImage } from "./image/read.ts";
import { addLayer, type Compression } from "./layer/add.ts";
import type { LayerEntry } from "./layer/entry.ts";
import type { Image, Layer } from "./oci.ts";
import { parseReference } from "./reference.ts";
import { Scratch } from "./scratch.ts";
import { Snapshots } from "./snapshot/snapshots.ts";
import { Tags } from "./tags.ts";

export interface ListedImage {
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
  /** @returns the manifest's digest: equal inputs, equal digest. */
  createImage(image: NewImage): Promise<Digest>;
  image(digest: Digest): Promise<Image>;
  /** Points `name[:tag]` at an image that is here. It takes the place of what the tag pointed at, as a whole. */
  tag(reference: string, digest: Digest): Promise<void>;
  /** True when the tag was there. */
  untag(reference: string): Promise<boolean>;
  /** The manifest that a tag, a `name@digest` or a digest stands for; null when it is not here. */
  resolve(reference: string): Promise<Digest | null>;
  /** `name:tag` → manifest digest, sorted. */
  tags(): Promise<ReadonlyMap<string, Digest>>;
  /** The tagged images. */
  images(): Promise<readonly ListedImage[]>;
  /** Unpacks what is missing, once however many ask, and gives the lower directories for overlayfs, topmost first. */
  rootfs(digest: Digest): Promise<RootFs>;
  /** Sweeps what neither a tag nor an image of `keep` reaches and what was last put before `before`. */
  gc(roots: { readonly keep: Iterable<Digest>; readonly before: Date }): Promise<Swept>;
  /** Reads everything and says what is wrong. Changes nothing. */
  fsck(): Promise<CheckReport>;
}

/**
 * Opens the store in `dir`, making it when it is not there: root's alone (0700), because a layer may hold what only its boxes should
 * read, and setuid files. Sweeps what processes that died have left half done. Several processes may have one store open.
 */
export async function openImageStore(dir: string): Promise<ImageStore> {
  const root = resolve(dir);
  await mkdir(root, { recursive: true, mode: 0o700 });
  await chmod(root, 0o700);
  const scratch = await Scratch.open(join(root, "tmp"));
  const blobs = await BlobDirectory.open(join(root, "blobs"), scratch);
  const snapshots = await Snapshots.open(join(root, "snapshots"), scratch, blobs);
  const tags = await Tags.open(join(root, "tags"), scratch);
  const image = (digest: Digest) => readImage(digest, blobs);
  return {
    blobs,
    addLayer: (entries, { compression }) => addLayer(entries, compression, { blobs, scratch }),
    createImage: (wanted) => createImage(wanted, blobs),
    image,
    async tag(reference, digest) {
      await image(digest);
      await tags.set(reference, digest);
    },
    untag: (reference) => tags.remove(reference),
    async resolve(reference) {
      const digest = isDigest(reference) ? reference : parseReference(reference).digest;
      if (digest === null) return tags.get(reference);
      return (await blobs.has(digest)) ? digest : null;
    },
    tags: () => tags.all(),
    images: async () => listImages(await tags.all(), image),
    async rootfs(digest) {
      const { manifest, config } = await image(digest);
      if (manifest.layers.length === 0) throw new ImageError("refused", `the image ${digest} has no layers to run`);
      return snapshots.rootfs(
        manifest.layers.map((layer, at) => ({
          digest: layer.digest,
          diff_id: config.rootfs.diff_ids[at]!,
          media_type: layer.mediaType,
        })),
      );
    },
    gc: (roots) => collectGarbage(roots, { blobs, snapshots, tags }),
    fsck: () => checkStore({ blobs, snapshots, tags }),
  };
}

async function listImages(
  tags: ReadonlyMap<string, Digest>,
  image: (digest: Digest) => Promise<Image>,
): Promise<ListedImage[]> {
  const byDigest = Map.groupBy(tags, ([, digest]) => digest);
  return Promise.all(
    [...byDigest].map(async ([digest, named]) => {
      const { manifest, config } = await image(digest);
      return {
        digest,
        tags: named.map(([tag]) => tag),
        created: config.created,
        architecture: config.architecture,
        layers: manifest.layers.length,
        size_bytes: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
      };
    }),
  );
}
