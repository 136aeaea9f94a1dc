import { stat } from "node:fs/promises";
import type { LayerTree } from "../tree/layer-tree.ts";
import { checkEntry, type DirectoryEntry, type LayerEntry } from "./entry.ts";
import { type LayerLimits, LayerTally } from "./limits.ts";
import { asInBox } from "./shift.ts";

/** What a box wrote: the upper folder of its overlay. */
export interface WritableLayer {
  /** A folder, on a tmpfs or not; it may be named through /proc/<pid>. Nobody should write to it meanwhile: freeze the box. */
  readonly upper: string;
  /** The host's id of the box's root; 0 when ids are not shifted. */
  readonly id_base: number;
}

/**
 * What a writable layer changes of the layers below it, in layer order: everything in it, with whiteouts and opaque folders as entries.
 * A folder is there when something in it changed. Of the root nothing is said unless its owner or mode are others than below.
 * @throws ImageError `refused` for what became shorter or something else while it was read, for owners that are not the box's
 */
export async function* diffEntries(
  { upper, id_base }: WritableLayer,
  lower: readonly string[],
  tree: LayerTree,
  limits: LayerLimits,
): AsyncGenerator<LayerEntry> {
  const tally = new LayerTally(limits);
  for await (const found of tree.walk(upper, lower)) {
    const entry = asInBox(found, id_base);
    tally.add(entry.path, entry.type === "file" ? entry.size_bytes : 0);
    checkEntry(entry);
    if (entry.path === "" && entry.type === "directory" && (await looksLike(entry, lower[0]))) continue;
    yield entry;
  }
}

async function looksLike(root: DirectoryEntry, below: string | undefined): Promise<boolean> {
  const { mode, uid, gid } = below === undefined ? { mode: 0o755, uid: 0, gid: 0 } : await stat(below);
  return root.mode === (mode & 0o7777) && root.uid === uid && root.gid === gid;
}
