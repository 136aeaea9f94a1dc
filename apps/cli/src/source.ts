import { createReadStream, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { CliError, EXIT } from "./client.ts";

export interface Source {
  readonly body: ReadableStream<Uint8Array>;
  readonly headers: Record<string, string>;
  readonly query: Record<string, string>;
  /** A name for the function, from the path. */
  readonly suggestedName: string;
}

const LEFT_OUT = new Set([".git", "node_modules", ".DS_Store"]);
const MODULE = /\.([cm]?[jt]sx?)$/;

/** What `deploy` sends for a path: a module as it is, a folder as tar.gz, an archive as it is, `-` from standard input. */
export function readSource(path: string): Source {
  if (path === "-") return { body: web(process.stdin), headers: {}, query: {}, suggestedName: "" };
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new CliError(`there is no ${path}`, { exit: EXIT.usage, hint: "name a module, a folder or an archive" });
  const suggestedName = plainName(basename(resolve(path)));
  if (stat.isDirectory()) {
    return {
      body: web(packFolder(resolve(path))),
      headers: { "content-type": "application/gzip" },
      query: {},
      suggestedName,
    };
  }
  const file = basename(path);
  const query: Record<string, string> = MODULE.test(file) && /^[A-Za-z0-9_.-]{1,100}$/.test(file) ? { file } : {};
  return { body: web(createReadStream(path)), headers: {}, query, suggestedName };
}

const web = (stream: Readable): ReadableStream<Uint8Array> =>
  Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>;

export function plainName(file: string): string {
  return file
    .replace(/\.(tar\.gz|tgz|tar|zip|[cm]?[jt]sx?)$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
}

/** Sorted, without times and owners, so that the same folder is the same source. */
function packFolder(root: string): Readable {
  const archive = pack();
  const zipped = createGzip();
  void pipeline(archive, zipped).catch(() => {});
  void (async () => {
    for (const path of walk(root)) {
      const name = relative(root, path);
      const stat = lstatSync(path);
      const header = { name, mode: stat.mode & 0o777, mtime: new Date(0), uid: 0, gid: 0 };
      if (stat.isSymbolicLink()) archive.entry({ ...header, type: "symlink", linkname: readlinkSync(path) });
      else if (stat.isDirectory()) archive.entry({ ...header, type: "directory" });
      else if (stat.isFile()) await pipeline(createReadStream(path), archive.entry({ ...header, size: stat.size }));
    }
    archive.finalize();
  })().catch((error: Error) => zipped.destroy(error));
  return zipped;
}

function* walk(dir: string): Generator<string> {
  for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (LEFT_OUT.has(entry.name)) continue;
    yield join(dir, entry.name);
    if (entry.isDirectory()) yield* walk(join(dir, entry.name));
  }
}
