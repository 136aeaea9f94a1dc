import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

/** SHA-256 of a file as 64 hex digits. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest("hex");
}

type Known = Record<string, { readonly identity: string; readonly digest: string }>;

/** Digests of files; a large one is hashed again only when it was touched since `memory`, a JSON file, was written. */
export async function digestsOfFiles(paths: readonly string[], memory: string): Promise<string[]> {
  const known = await readFile(memory, "utf8").then(
    (json) => JSON.parse(json) as Known,
    () => ({}) as Known,
  );
  const next: Known = {};
  for (const path of paths) {
    const found = await stat(path, { bigint: true });
    // ctime cannot be set back, so what was written to since has another identity.
    const identity = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(":");
    const before = known[path];
    next[path] = before?.identity === identity ? before : { identity, digest: await digestOfFile(path) };
  }
  if (JSON.stringify(next) !== JSON.stringify(known)) await writeFile(memory, JSON.stringify(next));
  return paths.map((path) => next[path]!.digest);
}
