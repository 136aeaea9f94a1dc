import { createReadStream, readdirSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path/posix";
import type { ImageStore, Layer, LayerEntry } from "@mayfly/image";

/** Files of a host, by their paths in an image. */
export type PlacedFiles = Readonly<Record<string, { readonly source: string; readonly mode: number }>>;

/** All files below a folder of this host, at another place. Manuals stay out; the licence does not. */
export function filesOfFolder(folder: string, at: string): PlacedFiles {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = found.map((entry) => join(entry.parentPath, entry.name)).sort();
  const wanted = paths.filter((path) => !/^(docs|man)\//.test(relative(folder, path)));
  return Object.fromEntries(wanted.map((source) => [`${at}/${relative(folder, source)}`, { source, mode: 0o755 }]));
}

/** A layer of root's files, given as path in the image → file on this host, with the folders they lie in. */
export async function programLayer(store: ImageStore, files: PlacedFiles, mtime_s: number): Promise<Layer> {
  const entries = new Map<string, LayerEntry>();
  for (const [path, { source, mode }] of Object.entries(files)) {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
      entries.set(folder, { type: "directory", path: folder, mode: 0o755, uid: 0, gid: 0, mtime_s });
    }
    const size_bytes = (await stat(source)).size;
    const content = () => createReadStream(source, { highWaterMark: 256 * 1024 });
    entries.set(path, { type: "file", path, mode, uid: 0, gid: 0, mtime_s, size_bytes, content });
  }
  return store.addLayer(entries.values(), { compression: "none" });
}
