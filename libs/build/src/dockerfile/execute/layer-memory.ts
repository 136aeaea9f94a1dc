import type { Digest } from "@mayfly/contract";
import { LRUCache } from "lru-cache";
import type { FileTree } from "../files/file-tree.ts";

/** Of all trees together; those of one build share most of theirs. */
const MOST_NAMES = 100_000;
/** Of all texts together. */
const MOST_CHARACTERS = 1024 * 1024;

/**
 * What was read out of layers, for the builds that come: the same digest always stands for the same bytes. None of it is needed, and what
 * was not used longest goes first. Nobody changes a tree that is in here.
 */
export class LayerMemory {
  readonly #trees = new LRUCache<string, FileTree>({ maxSize: MOST_NAMES });
  readonly #texts = new LRUCache<string, string>({ maxSize: MOST_CHARACTERS });

  /** The files of a stack of layers, bottom first. */
  tree(layers: readonly Digest[]): FileTree | undefined {
    return this.#trees.get(layers.join());
  }

  keepTree(layers: readonly Digest[], tree: FileTree): void {
    this.#trees.set(layers.join(), tree, { size: tree.size + 1 });
  }

  /** A file of a layer. */
  text(layer: Digest, path: string): string | undefined {
    return this.#texts.get(`${layer}/${path}`);
  }

  keepText(layer: Digest, path: string, text: string): void {
    this.#texts.set(`${layer}/${path}`, text, { size: text.length + 1 });
  }
}
