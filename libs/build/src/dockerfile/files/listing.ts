import { createHash } from "node:crypto";
import type { Digest } from "@mayfly/contract";
import type { FileEntry, LayerEntry } from "@mayfly/image";

/** An entry of a layer without its content: what can be kept in memory and on disk. */
export type Listed = ListedFile | ListedLink | ListedMark;

/** What has attributes of its own. */
export type ListedFile =
  | ({ readonly type: "file"; readonly size_bytes: number; readonly digest: Digest } & Attributes)
  | ({ readonly type: "directory" | "fifo" } & Attributes)
  | ({ readonly type: "symlink"; readonly target: string } & Attributes)
  | ({ readonly type: "char_device" | "block_device"; readonly major: number; readonly minor: number } & Attributes);

/** One more name of a file. Its attributes are the file's in layers; unpacking an archive gives them to the file. */
export type ListedLink = { readonly type: "hard_link"; readonly target: string } & Attributes;

/** What the layers below have here is gone. */
export type ListedMark =
  | { readonly type: "whiteout"; readonly path: string }
  | { readonly type: "opaque"; readonly path: string };

export interface Attributes {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime_s: number;
  readonly mtime_ns: number;
  /** Values in base64. */
  readonly xattrs: Readonly<Record<string, string>>;
}

/** As times of files are counted here. */
export const secondsOf = (date: Date): number => Math.floor(date.getTime() / 1000);

/** Between a path and which file of that path it is; no path holds it. */
const AGAIN = "\0";

/** Gives each file a path of its own: one that comes again is another file than the first, and the last one counts. */
export async function* told(entries: AsyncIterable<LayerEntry>): AsyncGenerator<LayerEntry> {
  const seen = new Map<string, number>();
  for await (const entry of entries) {
    const times = seen.get(entry.path) ?? 0;
    if (entry.type === "file") seen.set(entry.path, times + 1);
    yield times > 0 && entry.type === "file" ? { ...entry, path: `${entry.path}${AGAIN}${times}` } : entry;
  }
}

/** The path as it stands in the layer or archive. */
export const pathIn = (told: string): string => told.split(AGAIN)[0]!;

/** Lists entries as they stream past; every content is read, for its digest. */
export async function listed(entries: AsyncIterable<LayerEntry>): Promise<Listed[]> {
  const list: Listed[] = [];
  for await (const entry of entries) list.push(await listedEntry(entry));
  return list;
}

async function listedEntry(entry: LayerEntry): Promise<Listed> {
  const { path } = entry;
  if (entry.type === "whiteout" || entry.type === "opaque") return { type: entry.type, path };
  const { mode, uid, gid, mtime_s, mtime_ns = 0 } = entry;
  const xattrs = Object.fromEntries(
    [...(entry.xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
  );
  const attributes: Attributes = { path, mode, uid, gid, mtime_s, mtime_ns, xattrs };
  switch (entry.type) {
    case "file":
      return { type: "file", ...attributes, size_bytes: entry.size_bytes, digest: await digestOf(entry) };
    case "hard_link":
      return { type: "hard_link", ...attributes, target: entry.target };
    case "symlink":
      return { type: "symlink", ...attributes, target: entry.target };
    case "directory":
    case "fifo":
      return { type: entry.type, ...attributes };
    default:
      return { type: entry.type, ...attributes, major: entry.major, minor: entry.minor };
  }
}

async function digestOf(entry: FileEntry): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of contentOf(entry)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}` as Digest;
}

export async function* contentOf({ content }: FileEntry): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else yield* content();
}
