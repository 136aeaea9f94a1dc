import { createReadStream, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

/** A tar of a folder: modes 0644 and 0755, one time for all, in the order of names. `.git` is passed over unless it is wanted. */
export function tarOfFolder(
  root: string,
  options: { readonly mtime_s: number; readonly gitDir: boolean },
): AsyncIterable<Uint8Array> {
  const archive = pack();
  const mtime = new Date(options.mtime_s * 1000);
  void (async () => {
    for (const path of below(root, options.gitDir)) {
      const stat = lstatSync(path);
      const header = { name: relative(root, path), mtime };
      if (stat.isDirectory()) archive.entry({ ...header, type: "directory", mode: 0o755 });
      else if (stat.isSymbolicLink())
        archive.entry({ ...header, type: "symlink", mode: 0o777, linkname: readlinkSync(path) });
      else if (stat.isFile()) {
        const entry = archive.entry({ ...header, size: stat.size, mode: stat.mode & 0o100 ? 0o755 : 0o644 });
        if (stat.size > 0) await pipeline(createReadStream(path), entry);
        else entry.end(() => {});
      }
    }
    archive.finalize();
  })().catch((error: Error) => archive.destroy(error));
  return archive as AsyncIterable<Uint8Array>;
}

function* below(folder: string, gitDir: boolean): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === ".git" && !gitDir) continue;
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* below(path, true);
  }
}
