import { type LayerEntry, refused } from "./entry.ts";

/**
 * The one order in which entries stand in a layer: by bytes, component by component, so that a folder comes before what is in it and
 * equal trees give equal layers. @throws ImageError `refused` when a path comes twice, or lies below something that is no folder.
 */
export function inLayerOrder(entries: readonly LayerEntry[]): LayerEntry[] {
  const keyed = entries.map((entry) => ({ entry, key: Buffer.from(entry.path.replaceAll("/", "\0")) }));
  keyed.sort((a, b) => Buffer.compare(a.key, b.key));
  const sorted = keyed.map(({ entry }) => entry);
  // What lies below a path comes right after it, so one step back is enough.
  for (const [at, entry] of sorted.entries()) {
    const before = sorted[at - 1];
    if (before === undefined) continue;
    if (before.path === entry.path) throw refused(entry.path, "the layer holds it twice");
    if (before.type !== "directory" && entry.path.startsWith(`${before.path}/`)) {
      throw refused(entry.path, `it lies below ${before.path}, which is a ${before.type}`);
    }
  }
  return sorted;
}
