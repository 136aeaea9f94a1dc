import { createReadStream, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { CliError, EXIT } from "./failure.ts";

const NEVER = new Set([".git", ".DS_Store"]);

/**
 * A folder as tar.gz: sorted, without times, owners and umask, so that the same folder is the same source wherever it lies.
 * Links are sent as links: what they point to is judged where the build is.
 */
export function packFolder(root: string, options: { nodeModules: boolean }): Readable {
  const archive = pack();
  const zipped = createGzip();
  pipeline(archive, zipped).catch(() => {});
  fill(archive, root, options).catch((error: Error) => {
    zipped.destroy(new CliError(`cannot pack ${root}: ${error.message}`, { exit: EXIT.usage }));
  });
  return zipped;
}

async function fill(archive: ReturnType<typeof pack>, root: string, options: { nodeModules: boolean }): Promise<void> {
  for (const path of walk(root, options.nodeModules)) {
    const stat = lstatSync(path);
    const executable = (stat.mode & 0o100) !== 0;
    const header = { name: relative(root, path), mode: executable ? 0o755 : 0o644, mtime: new Date(0), uid: 0, gid: 0 };
    if (stat.isSymbolicLink()) archive.entry({ ...header, type: "symlink", linkname: readlinkSync(path) });
    else if (stat.isDirectory()) archive.entry({ ...header, type: "directory" });
    else if (stat.isFile()) await pipeline(createReadStream(path), archive.entry({ ...header, size: stat.size }));
  }
  archive.finalize();
}

function* walk(dir: string, nodeModules: boolean): Generator<string> {
  for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (NEVER.has(entry.name) || (entry.name === "node_modules" && !nodeModules)) continue;
    yield join(dir, entry.name);
    if (entry.isDirectory()) yield* walk(join(dir, entry.name), nodeModules);
  }
}
