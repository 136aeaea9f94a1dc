import { constants } from "node:fs";
import { type FileHandle, lchown, lutimes, mkdir, open, symlink } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "../durable.ts";
import { explain } from "../error.ts";
import { checkEntry, type DirectoryEntry, type FileEntry, type LayerEntry, refused } from "./entry.ts";
import { LowerDirectories } from "./lower.ts";
import { chunksOf } from "./tar-write.ts";
import { Waiting } from "./waiting.ts";

/** As many files at once wait for the disk: neighbours share a journal commit. */
const SYNCS_AT_ONCE = 16;

/** What every folder above an entry must be: made by this unpacking, never found and never a link. */
type Made = Map<string, DirectoryEntry>;

/**
 * Unpacks entries into `target`, an empty folder that nobody else writes; everything is on disk when this returns. For layers of our
 * own making. No link is ever followed, because what stands above an entry must be a folder made here.
 * A folder that a layer implies without holding it is made like the one that `lowers` (topmost first) show there, so that
 * laying this layer over them changes nothing but what the layer says.
 * @returns the count of entries and the bytes in files. @throws ImageError; `target` is then to be thrown away.
 */
export async function unpackEntries(
  entries: AsyncIterable<LayerEntry>,
  target: string,
  lowers: readonly string[],
): Promise<{ entries: number; size_bytes: number }> {
  const made: Made = new Map();
  const below = new LowerDirectories(lowers);
  const syncs = new Waiting(SYNCS_AT_ONCE);
  const total = { entries: 0, size_bytes: 0 };
  try {
    for await (const entry of entries) {
      checkEntry(entry);
      await makeParents(entry.path, target, made, below);
      await explained(entry.path, () => unpackOne(entry, target, made, syncs));
      total.entries += 1;
      total.size_bytes += entry.type === "file" ? entry.size_bytes : 0;
    }
  } finally {
    await syncs.settle();
  }
  await finishDirectories(target, made);
  return total;
}

async function unpackOne(entry: LayerEntry, target: string, made: Made, syncs: Waiting): Promise<void> {
  const path = join(target, entry.path);
  if (entry.type === "directory") return makeDirectory(entry, target, made);
  if (entry.type === "symlink") {
    await symlink(entry.target, path);
    await lchown(path, entry.uid, entry.gid);
    return lutimes(path, entry.mtime_s, entry.mtime_s);
  }
  const file = await open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    await writeFile(file, entry);
  } catch (error) {
    await file.close();
    throw error;
  }
  await syncs.add(file.sync().finally(() => file.close()));
}

async function writeFile(file: FileHandle, entry: FileEntry): Promise<void> {
  let written = 0;
  for await (const chunk of chunksOf(entry)) {
    written += chunk.byteLength;
    await file.writeFile(chunk);
  }
  if (written !== entry.size_bytes)
    throw refused(entry.path, `${entry.size_bytes} bytes were announced, ${written} came`);
  await file.chown(entry.uid, entry.gid);
  await file.chmod(entry.mode); // After chown, which clears setuid and setgid.
  await file.utimes(entry.mtime_s, entry.mtime_s);
}

/** Attributes come last of all: a later entry in the folder would change its time, and a mode might keep us out. */
async function makeDirectory(entry: DirectoryEntry, target: string, made: Made): Promise<void> {
  const implied = made.has(entry.path);
  if (!implied) await mkdir(join(target, entry.path), { mode: 0o700 });
  made.set(entry.path, entry);
}

async function makeParents(path: string, target: string, made: Made, below: LowerDirectories): Promise<void> {
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    const parent = path.slice(0, at);
    if (made.has(parent)) continue;
    const like = await below.attributes(parent);
    if (like === "no directory") throw refused(path, `${parent} is no folder in the layers below`);
    // Fails with EEXIST where this layer has put a file or a link.
    await explained(path, () => makeDirectory({ ...like, path: parent, type: "directory" }, target, made));
  }
}

/** Deepest first: each folder is finished before the folder that holds it. */
async function finishDirectories(target: string, made: Made): Promise<void> {
  const root: DirectoryEntry = { path: "", type: "directory", mode: 0o755, uid: 0, gid: 0, mtime_s: 0 };
  const deepestFirst = [...made.values()].sort((a, b) => (a.path < b.path ? 1 : -1));
  for (const entry of [...deepestFirst, root]) {
    await explained(entry.path, async () => {
      const handle = await open(
        join(target, entry.path),
        constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
      );
      try {
        await handle.chown(entry.uid, entry.gid);
        await handle.chmod(entry.mode);
        await handle.utimes(entry.mtime_s, entry.mtime_s);
      } finally {
        await handle.close();
      }
      await syncDirectory(join(target, entry.path));
    });
  }
}

const explained = <T>(path: string, act: () => Promise<T>): Promise<T> =>
  act().catch((error) => Promise.reject(explain(`unpacking the layer entry "${path}"`, error)));
