import { constants, type Stats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { checkEntry, type FileEntry, type LayerEntry, unsupported } from "./entry.ts";

/**
 * The entries of a folder, without the folder itself, parents first. Links are entries and are never followed.
 * Extended attributes cannot be seen from Node: give trees that have none.
 * @throws ImageError `unsupported` for hard links, devices, sockets, fifos and names that are not UTF-8.
 */
export async function* entriesOfTree(dir: string): AsyncGenerator<LayerEntry> {
  yield* below(dir, "");
}

async function* below(root: string, prefix: string): AsyncGenerator<LayerEntry> {
  for (const raw of (await readdir(join(root, prefix), { encoding: "buffer" })).sort(Buffer.compare)) {
    const path = prefix === "" ? raw.toString() : `${prefix}/${raw.toString()}`;
    if (!Buffer.from(raw.toString()).equals(raw)) throw unsupported(path, "the name is not UTF-8");
    const entry = await entryAt(root, path);
    checkEntry(entry);
    yield entry;
    if (entry.type === "directory") yield* below(root, path);
  }
}

async function entryAt(root: string, path: string): Promise<LayerEntry> {
  const full = join(root, path);
  const found = await lstat(full);
  const attributes = {
    path,
    mode: found.mode & 0o7777,
    uid: found.uid,
    gid: found.gid,
    mtime_s: Math.floor(found.mtimeMs / 1000),
  };
  if (found.isDirectory()) return { ...attributes, type: "directory" };
  if (found.isSymbolicLink()) return { ...attributes, type: "symlink", target: await readlink(full) };
  if (found.isFile() && found.nlink === 1) return fileEntry(attributes, full, found);
  throw unsupported(
    path,
    found.isFile() ? `it is one file under ${found.nlink} names` : "it is a device, socket or fifo",
  );
}

const fileEntry = (
  attributes: Omit<FileEntry, "type" | "size_bytes" | "content">,
  full: string,
  found: Stats,
): FileEntry => ({
  ...attributes,
  type: "file",
  size_bytes: found.size,
  content: () => contentOf(full),
});

/** Opened without following: the file may have been replaced by a link since it was listed. */
async function* contentOf(full: string): AsyncGenerator<Uint8Array> {
  const handle = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  yield* handle.createReadStream({ highWaterMark: 256 * 1024 });
}
