import { chmod, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Digest } from "@mayfly/contract";
import { exportBox, exportTree, importTree } from "./archive/flat.ts";
import { load } from "./archive/load.ts";
import { save } from "./archive/save.ts";
import { BlobDirectory } from "./blob/directory.ts";
import { isDigest } from "./digest.ts";
import { ImageError } from "./error.ts";
import { checkStore } from "./image/check.ts";
import { commit, diffLayer } from "./image/commit.ts";
import { createImage } from "./image/create.ts";
import { collectGarbage } from "./image/gc.ts";
import { historyOf } from "./image/history.ts";
import { listImages } from "./image/list.ts";
import { readImage } from "./image/read.ts";
import { stackOf } from "./image/stack.ts";
import { requireWhole } from "./image/whole.ts";
import type { ImageStore } from "./image-store.ts";
import { addLayer, adoptTar, entriesOfPacked } from "./layer/add.ts";
import { changesOf } from "./layer/changes.ts";
import { LAYER_LIMITS, type LayerLimits } from "./layer/limits.ts";
import type { Layer } from "./oci.ts";
import { parseReference } from "./reference.ts";
import { Scratch } from "./scratch.ts";
import { Snapshots } from "./snapshot/snapshots.ts";
import { Tags } from "./tags.ts";
import { LayerTree } from "./tree/layer-tree.ts";

export interface StoreOptions {
  /** The program that native/build.sh makes. */
  readonly layerTree: string;
  readonly limits?: Partial<LayerLimits>;
}

/**
 * Opens the store in `dir`, making it when it is not there: root's alone (0700), because a layer may hold what only its boxes should
 * read, and setuid files. Sweeps what processes that died have left half done. Several processes may have one store open.
 */
export async function openImageStore(dir: string, { layerTree, limits }: StoreOptions): Promise<ImageStore> {
  const root = resolve(dir);
  await mkdir(root, { recursive: true, mode: 0o700 });
  await chmod(root, 0o700);
  const tree = new LayerTree(layerTree);
  const scratch = await Scratch.open(join(root, "tmp"), tree);
  const blobs = await BlobDirectory.open(join(root, "blobs"), scratch);
  const parts = { scratch, blobs, tree, limits: { ...LAYER_LIMITS, ...limits } };
  const snapshots = await Snapshots.open(join(root, "snapshots"), parts);
  const tags = await Tags.open(join(root, "tags"), scratch);
  const rootfs = async (digest: Digest, over: readonly Layer[] = []) => {
    const stack = [...stackOf(await readImage(digest, blobs)), ...over];
    if (stack.length === 0) throw new ImageError("refused", `the image ${digest} has no layers to run`);
    return snapshots.rootfs(stack);
  };
  return {
    blobs,
    addLayer: (entries, { compression }) => addLayer(entries, compression, parts),
    adoptLayer: (tar) => adoptTar(tar, parts),
    layerEntries: (layer) => entriesOfPacked(blobs.open(layer), parts.limits),
    tarEntries: (tar) => entriesOfPacked(tar, parts.limits),
    createImage: (wanted) => createImage(wanted, blobs),
    image: (digest, platform) => readImage(digest, blobs, platform),
    async tag(reference, digest) {
      await requireWhole(digest, blobs);
      await tags.set(reference, digest);
    },
    untag: (reference) => tags.remove(reference),
    async resolve(reference) {
      const digest = isDigest(reference) ? reference : parseReference(reference).digest;
      if (digest === null) return tags.get(reference);
      return (await blobs.has(digest)) ? digest : null;
    },
    tags: () => tags.all(),
    images: async () => listImages(await tags.all(), blobs),
    tagLog: (reference) => tags.log(reference),
    async rollback(reference, to) {
      const digest = to ?? (await tags.before(reference));
      await requireWhole(digest, blobs);
      await tags.goBack(reference, digest);
      return digest;
    },
    rootfs,
    history: async (digest) => historyOf(await readImage(digest, blobs)),
    diff: async (image, writable, { compression }) =>
      diffLayer(writable, (await rootfs(image)).lower, compression, parts),
    async commit(wanted) {
      const { config } = await readImage(wanted.image, blobs);
      return commit(wanted, await rootfs(wanted.image), wanted.config ?? config.config, parts);
    },
    async *changes(image, writable) {
      yield* changesOf(writable, await rootfs(image), parts);
    },
    async *exportBox(image, writable) {
      yield* exportBox(writable, await rootfs(image), tree);
    },
    save: (images, format) => save(images, format, blobs),
    async load(source, { acceptTag = () => {} } = {}) {
      const loaded = await load(source, parts);
      for (const { tags: names } of loaded) for (const name of names) acceptTag(name);
      for (const { digest, tags: names } of loaded) for (const name of names) await tags.set(name, digest);
      return loaded;
    },
    async *export(digest) {
      yield* exportTree(await rootfs(digest), tree);
    },
    async import(source, wanted) {
      const digest = await importTree(source, wanted, parts);
      await rootfs(digest);
      return digest;
    },
    synced: () => snapshots.synced(),
    gc: (roots) => collectGarbage(roots, { blobs, snapshots, tags }),
    fsck: (options) => checkStore({ blobs, snapshots, tags }, options),
  };
}
