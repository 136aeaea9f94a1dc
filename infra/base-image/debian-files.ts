import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type DirectoryEntry, entriesOfTar, type FileEntry, type LayerEntry } from "@mayfly/image";
import { CERTIFICATES, certificateBundle } from "./certificates.ts";
import { filesOf } from "./deb.ts";

/** Read by people and packaging tools. Copyright files stay: whoever passes the image on owes them. */
const LEFT_OUT =
  /^usr\/share\/(doc\/.*\/(?!copyright$)[^/]*$|man\/|info\/|locale\/|lintian\/|gdb\/|gcc\/|bug\/|base-files\/|zoneinfo\/(right|posix)\/)|^etc\/(update-motd\.d|issue|dpkg|default|profile\.d|skel)|^etc\/ca-certificates|^usr\/sbin\/update-ca-certificates$/;
/** Since Debian 12 these are links into /usr ("merged /usr"); its packages still name the old places. */
const MERGED = /^(bin|sbin|lib|lib64)(\/|$)/;

/**
 * The files of packages in the merged-/usr layout, every time set to `mtime_s`, with the folders they lie in and the bundle of
 * certificates that ca-certificates would make on installation. Folders named in `skeleton` look as it says.
 */
export async function* debianFiles(
  debs: readonly string[],
  skeleton: ReadonlyMap<string, DirectoryEntry>,
  mtime_s: number,
): AsyncGenerator<LayerEntry> {
  const folders = new Map<string, DirectoryEntry>();
  const needed = new Set(skeleton.keys());
  const certificates = new Map<string, Buffer>();
  for (const deb of debs) {
    for await (const found of entriesOfTar(filesOf(deb))) {
      const entry = { ...placed(found), mtime_s };
      if (entry.type === "directory") {
        if (!folders.has(entry.path)) folders.set(entry.path, entry);
        continue;
      }
      if (LEFT_OUT.test(entry.path)) continue;
      for (const folder of foldersAbove(entry.path)) needed.add(folder);
      if (entry.type === "file" && CERTIFICATES.test(entry.path)) {
        const kept = await inMemory(entry);
        certificates.set(entry.path, kept.content);
        yield kept;
      } else yield entry;
    }
  }
  yield* certificateBundle(certificates, mtime_s);
  if (certificates.size > 0) for (const folder of foldersAbove("etc/ssl/certs/x")) needed.add(folder);
  for (const path of needed) yield skeleton.get(path) ?? folders.get(path)!;
}

/** A hard link names a place too. */
function placed(entry: LayerEntry) {
  if (entry.type === "whiteout" || entry.type === "opaque")
    throw new Error(`${entry.path}: a package takes nothing away`);
  const path = merged(entry.path);
  return entry.type === "hard_link" ? { ...entry, path, target: merged(entry.target) } : { ...entry, path };
}

const merged = (path: string) => path.replace(MERGED, "usr/$1$2");

async function inMemory(entry: FileEntry): Promise<FileEntry & { content: Buffer }> {
  const { once: _, content, ...attributes } = entry;
  const bytes = content instanceof Uint8Array ? Buffer.from(content) : await buffer(Readable.from(content()));
  return { ...attributes, content: bytes };
}

function foldersAbove(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, at) => names.slice(0, at + 1).join("/"));
}
