import { createReadStream, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { CliError, EXIT } from "./failure.ts";

const NEVER = new Set([".git", ".DS_Store"]);

export interface PackOptions {
  readonly nodeModules: boolean;
  /** As the context of a Dockerfile: nothing is left out but by `.dockerignore`. Paths are relative to the folder. */
  readonly as?: {
    readonly sends: (path: string) => boolean;
    readonly enters: (folder: string) => boolean;
    readonly extra: readonly { readonly name: string; readonly content: string }[];
    /** It goes to a server of this host: bytes are cheaper than the time to compress them. */
    readonly near: boolean;
  };
}

/**
 * A folder as tar.gz: sorted, without times, owners and umask, so that the same folder is the same source wherever it lies.
 * Links are sent as links: what they point to is judged where the build is.
 */
export function packFolder(root: string, options: PackOptions): Readable {
  const archive = pack();
  // A context may be large.
  const zipped = createGzip(options.as ? { level: options.as.near ? 0 : 1 } : {});
  pipeline(archive, zipped).catch(() => {});
  fill(archive, root, options).catch((error: Error) => {
    zipped.destroy(new CliError(`cannot pack ${root}: ${error.message}`, { exit: EXIT.usage }));
  });
  return zipped;
}

async function fill(archive: ReturnType<typeof pack>, root: string, { nodeModules, as }: PackOptions): Promise<void> {
  const sent = new Map<string, string>();
  const left = new Map<string, Stats>();
  for (const path of walk(
    root,
    nodeModules,
    (folder) => as?.enters(relative(root, folder)) ?? true,
    as !== undefined,
  )) {
    const name = relative(root, path);
    const stat = lstatSync(path);
    if (as && !as.sends(name)) {
      if (stat.isDirectory()) left.set(name, stat);
      continue;
    }
    // A folder that is left out has its mode and its time all the same when something in it is sent.
    for (const [folder, is] of [...left].filter(([folder]) => name.startsWith(`${folder}/`))) {
      archive.entry({ name: folder, uid: 0, gid: 0, ...asItIs(is), type: "directory" });
      left.delete(folder);
    }
    const header = { name, uid: 0, gid: 0, ...(as ? asItIs(stat) : asAnywhere(stat)) };
    const first = as && stat.isFile() && stat.nlink > 1 ? sent.get(inode(stat)) : undefined;
    if (first !== undefined) archive.entry({ ...header, type: "link", linkname: first });
    else if (stat.isSymbolicLink()) archive.entry({ ...header, type: "symlink", linkname: readlinkSync(path) });
    else if (stat.isDirectory()) archive.entry({ ...header, type: "directory" });
    else if (stat.isFIFO() && as) archive.entry({ ...header, type: "fifo" });
    else if (stat.isFile()) {
      await pipeline(createReadStream(path), archive.entry({ ...header, size: stat.size }));
      sent.set(inode(stat), name);
    }
  }
  for (const { name, content } of as?.extra ?? []) archive.entry({ name, mode: 0o644, uid: 0, gid: 0 }, content);
  archive.finalize();
}

const inode = ({ dev, ino }: Stats): string => `${dev}:${ino}`;

const asAnywhere = ({ mode }: Stats) => ({ mode: (mode & 0o100) === 0 ? 0o644 : 0o755, mtime: new Date(0) });

/** A context's files are copied with their modes and times. With the bits of the kind: tar-stream takes a mode of 0 for none at all. */
function asItIs({ mode, mtimeMs }: Stats) {
  const mtime_s = Math.floor(mtimeMs / 1000);
  // tar-stream writes 31 bits of a time.
  if (mtime_s >= 0 && mtime_s < 2 ** 31) return { mode, mtime: new Date(mtime_s * 1000) };
  return { mode, mtime: new Date(0), pax: { mtime: String(mtime_s) } };
}

function* walk(
  dir: string,
  nodeModules: boolean,
  enters: (folder: string) => boolean,
  whole: boolean,
): Generator<string> {
  for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if ((NEVER.has(entry.name) && !whole) || (entry.name === "node_modules" && !nodeModules)) continue;
    const path = join(dir, entry.name);
    yield path;
    if (entry.isDirectory() && enters(path)) yield* walk(path, nodeModules, enters, whole);
  }
}
