import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { ignoreFilesFor, readIgnoreFile } from "@mayfly/build";
import { sniffArchive, whyNoSource } from "@mayfly/contract";
import { CliError, EXIT } from "../failure.ts";
import { packFolder } from "../pack.ts";

/** What is built, as the server takes it. */
export interface Context {
  readonly body: Readable;
  readonly type: string;
  /** Path of the Dockerfile in it, when it is not `Dockerfile`. */
  readonly dockerfile: string | null;
}

const DOCKERFILE = "Dockerfile";
const IGNORE = ".dockerignore";
/** For a Dockerfile that comes from elsewhere than the context. */
const FOREIGN = ".mayfly.Dockerfile";
const SNIFFED_BYTES = 1024;

/**
 * `PATH`, `URL` or `-`, as `docker build` has them: a folder with its `.dockerignore`, an address or a repository that the server
 * fetches, a Dockerfile or a tar on standard input. @param near whether the server is on this host @throws CliError
 */
export async function openContext(
  where: string,
  file: string | undefined,
  stdin: Readable,
  near = false,
): Promise<Context> {
  if (where === "-") {
    if (file === "-") throw usage("standard input is the context or the Dockerfile, not both");
    return fromStdin(stdin, file ?? null);
  }
  const reference = referenceOf(where);
  if (reference === null) return fromFolder(where, file, stdin, near);
  if (file === "-") throw usage("a Dockerfile on standard input needs a folder for its context");
  const body = Readable.from([JSON.stringify({ ...reference, ...(file && { dockerfile: file }) })]);
  return { body, type: "application/json", dockerfile: null };
}

/** What the server is to fetch; null: it is a path. @throws CliError */
function referenceOf(where: string): Record<string, string> | null {
  if (/^(git|ssh):\/\/|^[\w.-]+@[\w.-]+:/.test(where) && !existsSync(where))
    throw usage(`${where}: repositories are fetched over http and https`);
  if (where.startsWith("github.com/") && !existsSync(where)) return { git: `https://${where}` };
  return /^https?:\/\//.test(where) ? { url: where } : null;
}

async function fromStdin(stdin: Readable, file: string | null): Promise<Context> {
  const chunks = stdin.iterator({ destroyOnReturn: false });
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk as Buffer);
    size += (chunk as Buffer).byteLength;
    if (size >= SNIFFED_BYTES) break;
  }
  if (size === 0) throw usage("standard input is empty; it has a Dockerfile or a tar");
  const first = Buffer.concat(parts);
  const body = Readable.from(
    (async function* () {
      yield first;
      for await (const chunk of stdin) yield chunk;
    })(),
  );
  const kind = sniffArchive(first);
  const why = kind === null ? whyNoSource(first) : null;
  if (why !== null) throw usage(`standard input is ${why}`);
  if (kind === null && file !== null) throw usage("ambiguous Dockerfile source: both stdin and -f name one");
  const types = { tar: "application/x-tar", "tar.gz": "application/gzip", zip: "application/zip" } as const;
  return { body, type: kind === null ? "text/x-dockerfile" : types[kind], dockerfile: file };
}

async function fromFolder(where: string, file: string | undefined, stdin: Readable, near: boolean): Promise<Context> {
  const found = statSync(where, { throwIfNoEntry: false });
  if (!found?.isDirectory()) throw usage(`${where} is no folder`, found?.isFile() ? instead(where) : undefined);
  const root = resolve(where);
  const path = file === undefined || file === "-" ? join(root, DOCKERFILE) : resolve(file);
  const inside = relative(root, path);
  const isInside = file !== "-" && !inside.startsWith("..") && !isAbsolute(inside);
  if (file !== "-" && !statSync(path, { throwIfNoEntry: false })?.isFile())
    throw usage(`there is no Dockerfile at ${path}`);
  const name = isInside ? inside : FOREIGN;
  const rulesAt = rulesFor(root, file === "-" ? null : path);
  const ignoreFile = rulesAt.startsWith(`${root}/`) ? relative(root, rulesAt) : IGNORE;
  const rules = existsSync(rulesAt) ? readFileSync(rulesAt, "utf8") : "";
  const ignore = readRules(rules, rulesAt);
  const needed = [name, ignoreFile];
  const extra = isInside
    ? []
    : [
        { name: FOREIGN, content: file === "-" ? await text(stdin) : readFileSync(path, "utf8") },
        // It is no part of the context.
        { name: `${FOREIGN}.dockerignore`, content: `${rules}\n${FOREIGN}*\n` },
      ];
  const body = packFolder(root, {
    nodeModules: true,
    as: {
      sends: (path) => needed.includes(path) || !ignore.ignores(path),
      enters: (folder) => !ignore.ignoresAllIn(folder) || needed.some((path) => path.startsWith(`${folder}/`)),
      extra,
      near,
    },
  });
  return { body, type: "application/gzip", dockerfile: name === DOCKERFILE ? null : name };
}

/** What leaves files out: `<Dockerfile>.dockerignore` beside the Dockerfile, wherever that lies, else the context's own. */
function rulesFor(root: string, dockerfile: string | null): string {
  const own = join(root, IGNORE);
  const beside = dockerfile === null ? [] : ignoreFilesFor(dockerfile).slice(0, 1);
  return beside.find((path) => existsSync(path)) ?? own;
}

function readRules(rules: string, path: string) {
  try {
    return readIgnoreFile(rules);
  } catch (error) {
    throw usage(`${path}: ${(error as Error).message}`);
  }
}

/** A file where a folder is wanted: an archive comes on standard input, and a Dockerfile is named apart. */
const instead = (file: string): string =>
  sniffArchive(firstOf(file)) === null
    ? `name the folder, and the Dockerfile with -f: mayfly build -f ${file} ${dirname(file)}`
    : `an archive comes on standard input: mayfly build - < ${file}`;

function firstOf(file: string): Buffer {
  const first = Buffer.alloc(SNIFFED_BYTES);
  const descriptor = openSync(file, "r");
  try {
    return first.subarray(0, readSync(descriptor, first));
  } finally {
    closeSync(descriptor);
  }
}

const usage = (message: string, hint = "mayfly build --help") => new CliError(message, { exit: EXIT.usage, hint });
