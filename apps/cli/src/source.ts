import { createReadStream, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Readable } from "node:stream";
import { CliError, EXIT } from "./failure.ts";
import { packFolder } from "./pack.ts";

export interface Source {
  readonly body: ReadableStream<Uint8Array>;
  readonly headers: Record<string, string>;
  readonly query: Record<string, string>;
  /** A name for the function, from the path; may be empty. */
  readonly suggestedName: string;
}

const MODULE = /\.([cm]?[jt]sx?)$/;

/**
 * What `deploy` sends for a path: a module as it is, a folder as tar.gz, an archive as it is, `-` from standard input; of an address the
 * address, which the server fetches.
 * @throws CliError when there is nothing at the path
 */
export function readSource(path: string, options: { nodeModules: boolean } = { nodeModules: false }): Source {
  if (path === "-") return { body: web(process.stdin), headers: {}, query: {}, suggestedName: "" };
  if (/^https?:\/\//.test(path)) {
    const name = plainName(basename(new URL(path).pathname).replace(/\.git$/, ""));
    const headers = { "content-type": "application/json" };
    return { body: web(Readable.from([JSON.stringify({ url: path })])), headers, query: {}, suggestedName: name };
  }
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new CliError(`there is no ${path}`, { exit: EXIT.usage, hint: "name a module, a folder or an archive" });
  const suggestedName = plainName(basename(resolve(path)));
  if (stat.isDirectory()) {
    const headers = { "content-type": "application/gzip" };
    return { body: web(packFolder(resolve(path), options)), headers, query: {}, suggestedName };
  }
  const file = basename(path);
  const query: Record<string, string> = MODULE.test(file) && /^[A-Za-z0-9_.-]{1,100}$/.test(file) ? { file } : {};
  return { body: web(createReadStream(path)), headers: {}, query, suggestedName };
}

const web = (stream: Readable): ReadableStream<Uint8Array> =>
  Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>;

/** A file's name as a function's: lower case, digits and dashes. */
export function plainName(file: string): string {
  return file
    .replace(/\.(tar\.gz|tgz|tar|zip|[cm]?[jt]sx?)$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
}
