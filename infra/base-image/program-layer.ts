import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path/posix";
import type { ImageStore, Layer, LayerEntry } from "@mayfly/image";

/** A layer of root's files, given as path in the image → file on this host, with the folders they lie in. */
export async function programLayer(
  store: ImageStore,
  files: Readonly<Record<string, { readonly source: string; readonly mode: number }>>,
  mtime_s: number,
): Promise<Layer> {
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
