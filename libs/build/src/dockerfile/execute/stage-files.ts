import type { Digest } from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";
import type { Contents } from "../files/contents.ts";
import { FileTree, inLayer } from "../files/file-tree.ts";
import type { BuildCache, MadeLayer } from "./ports.ts";

/** A stage's files at some point: the layers that make them, and what they show together. */
export interface StageFiles {
  /** The image below all of it; null for a stage from nothing. */
  readonly image: Digest | null;
  /** What was laid over the image, bottom first. */
  readonly layers: readonly MadeLayer[];
  /** Of the image's layers and these as they are stored, bottom first: what keys are made of, for a diff_id is only claimed. */
  readonly digests: readonly Digest[];
  readonly tree: FileTree;
}

export const NO_FILES: StageFiles = { image: null, layers: [], digests: [], tree: new FileTree() };

/** Makes trees of images and layers; what a layer holds is listed once for all builds. */
export class Files {
  readonly #store: ImageStore;
  readonly #contents: Contents;
  readonly #cache: BuildCache;
  readonly #images = new Map<Digest, Promise<StageFiles>>();

  constructor(store: ImageStore, contents: Contents, cache: BuildCache) {
    this.#store = store;
    this.#contents = contents;
    this.#cache = cache;
  }

  ofImage(image: Digest): Promise<StageFiles> {
    const known = this.#images.get(image) ?? this.#load(image);
    this.#images.set(image, known);
    return known;
  }

  /** With one more layer. */
  async with(files: StageFiles, layer: MadeLayer): Promise<StageFiles> {
    const digests = [...files.digests, layer.digest];
    return { ...files, layers: [...files.layers, layer], digests, tree: await this.#laid(files.tree, digests) };
  }

  async #load(image: Digest): Promise<StageFiles> {
    const { manifest } = await this.#store.image(image);
    const digests = manifest.layers.map(({ digest }) => digest);
    let { tree } = NO_FILES;
    for (const at of digests.keys()) tree = await this.#laid(tree, digests.slice(0, at + 1));
    return { image, layers: [], digests, tree };
  }

  /** The last of the layers over what is below it. */
  async #laid(below: FileTree, digests: readonly Digest[]): Promise<FileTree> {
    const known = this.#cache.memory.tree(digests);
    if (known) return known;
    const layer = digests.at(-1)!;
    const tree = below.clone();
    tree.lay(await this.#listing(layer), inLayer(layer));
    this.#cache.memory.keepTree(digests, tree);
    return tree;
  }

  async #listing(layer: Digest) {
    const known = await this.#cache.listing(layer);
    if (known) return known;
    const list = await this.#contents.layer(layer);
    await this.#cache.keepListing(layer, list);
    return list;
  }
}
