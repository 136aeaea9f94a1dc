import type { Expansion } from "../compression/bounded.ts";
import { refused } from "./entry.ts";

/** What a layer may be. Strangers make layers: without an end to everything they fill disks and memory. */
export interface LayerLimits extends Expansion {
  /** In all files together, holes included. */
  readonly bytes: number;
  readonly entries: number;
  /** Folders in each other. */
  readonly depth: number;
  /** Of unpacking it. */
  readonly wall_ms: number;
}

const GIB = 1024 ** 3;

/** Above every image of use that was seen; the longest path is the kernel's 4095 bytes, attributes have limits of their own. */
export const LAYER_LIMITS: LayerLimits = {
  bytes: 64 * GIB,
  ratio: 200,
  ratio_free_bytes: GIB,
  entries: 2_000_000,
  depth: 256,
  wall_ms: 30 * 60 * 1000,
};

/** Counts what a layer says it holds, and refuses it at the first thing that is too much. */
export class LayerTally {
  readonly #limits: LayerLimits;
  entries = 0;
  bytes = 0;

  constructor(limits: LayerLimits) {
    this.#limits = limits;
  }

  add(path: string, size_bytes: number): void {
    this.entries += 1;
    this.bytes += size_bytes;
    const { entries, bytes, depth } = this.#limits;
    if (this.entries > entries) throw refused(path, `a layer has at most ${entries} entries`);
    if (this.bytes > bytes) throw refused(path, `the files of a layer have at most ${bytes} bytes together`);
    if (path.split("/", depth + 1).length > depth) throw refused(path, `folders lie at most ${depth} deep`);
  }
}
