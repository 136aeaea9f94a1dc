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

/** One more name of a file. */
export interface ListedLink {
  readonly type: "hard_link";
  readonly path: string;
  readonly target: string;
}

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

/** Lists entries as they stream past; every content is read, for its digest. */
export async function listed(entries: AsyncIterable<LayerEntry>): Promise<Listed[]> {
  const list: Listed[] = [];
  for await (const entry of entries) list.push(await listedEntry(entry));
  return list;
}

async function listedEntry(entry: LayerEntry): Promise<Listed> {
  const { path } = entry;
  if (entry.type === "whiteout" || entry.type === "opaque") return { type: entry.type, path };
  if (entry.type === "hard_link") return { type: "hard_link", path, target: entry.target };
  const { mode, uid, gid, mtime_s, mtime_ns = 0 } = entry;
  const xattrs = Object.fromEntries(
    [...(entry.xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
  );
  const attributes: Attributes = { path, mode, uid, gid, mtime_s, mtime_ns, xattrs };
  switch (entry.type) {
    case "file":
      return { type: "file", ...attributes, size_bytes: entry.size_bytes, digest: await digestOf(entry) };
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
