import { type LayerEntry, refused } from "./entry.ts";
import { bytesOf } from "./name.ts";

/**
 * The one order in which entries stand in a layer: by bytes, component by component, so that a folder comes before what is in it and
 * equal trees give equal layers. Hard links stand where their name puts them: their target must come before it, or be in a layer below.
 * @throws ImageError `refused` when a path comes twice, or lies below something that is no folder.
 */
export function inLayerOrder<Entry extends LayerEntry>(entries: readonly Entry[]): Entry[] {
  const keyed = entries.map((entry) => ({ entry, key: bytesOf(entry.path.replaceAll("/", "\0")) }));
  keyed.sort((a, b) => Buffer.compare(a.key, b.key) || rank(a.entry) - rank(b.entry));
  const sorted = keyed.map(({ entry }) => entry);
  // What lies below a path comes right after it, so one step back is enough.
  for (const [at, entry] of sorted.entries()) {
    const before = sorted[at - 1];
    if (before === undefined) continue;
    if (before.path === entry.path && (before.type !== "directory" || entry.type !== "opaque")) {
      throw refused(entry.path, "the layer holds it twice");
    }
    const isFolder = before.type === "directory" || before.type === "opaque";
    if (!isFolder && entry.path.startsWith(`${before.path}/`)) {
      throw refused(entry.path, `it lies below ${before.path}, which is a ${before.type}`);
    }
  }
  return sorted;
}

/** An opaque mark comes right behind its folder. */
const rank = (entry: LayerEntry) => (entry.type === "opaque" ? 1 : 0);
