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
    const tree = files.tree.clone();
    tree.lay(await this.#listing(layer.digest), inLayer(layer.digest));
    return { ...files, layers: [...files.layers, layer], digests: [...files.digests, layer.digest], tree };
  }

  async #load(digest: Digest): Promise<StageFiles> {
    const { manifest } = await this.#store.image(digest);
    const tree = new FileTree();
    for (const { digest: layer } of manifest.layers) tree.lay(await this.#listing(layer), inLayer(layer));
    return { image: digest, layers: [], digests: manifest.layers.map(({ digest: layer }) => layer), tree };
  }

  async #listing(layer: Digest) {
    const known = await this.#cache.listing(layer);
    if (known) return known;
    const list = await this.#contents.layer(layer);
    await this.#cache.keepListing(layer, list);
    return list;
  }
}
