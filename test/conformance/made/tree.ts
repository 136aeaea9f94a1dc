import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { entriesOfTar, type LayerEntry } from "@mayfly/image";
import type { Found } from "./made.ts";

export type Tree = ReadonlyMap<string, Found & { readonly mtime_s: number }>;

/** A text that a person can compare; what is longer stands as its digest. */
const LONGEST_TEXT = 100;

/** What overlayfs shows of folders (topmost first), as GNU tar reads it: all that a box or a container would see. */
export async function treeOf(lower: readonly string[]): Promise<Tree> {
  if (lower.length === 0) return new Map();
  const dir = mkdtempSync(join(tmpdir(), "mayfly-conformance-tree-"));
  // The numbers of folders a mount takes are few in one page of options: relative paths would not help those that lie elsewhere.
  const script = `mkdir "$1/root" "$1/empty" && mount -t overlay overlay -o "lowerdir=$1/empty:$2" "$1/root" && exec tar -C "$1/root" \
    --numeric-owner --sort=name --format=posix --xattrs --xattrs-include='*' --warning=no-file-ignored -c .`;
  const child = spawn("unshare", ["-m", "sh", "-ec", script, "sh", dir, lower.join(":")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  try {
    const tree = new Map<string, Found & { readonly mtime_s: number }>();
    for await (const entry of entriesOfTar(child.stdout))
      if (entry.path !== "") tree.set(entry.path, await found(entry));
    if ((await ended) !== 0) throw new Error(`reading a tree failed: ${said}`);
    return tree;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function found(entry: LayerEntry): Promise<Found & { readonly mtime_s: number }> {
  if (!("mode" in entry)) throw new Error(`${entry.path}: a name that is no file's`);
  const { type, mode, uid, gid, mtime_s, xattrs = new Map() } = entry;
  const attributes = [...xattrs].filter(([name]) => !name.startsWith("trusted.overlay."));
  return {
    type,
    mode,
    owner: `${uid}:${gid}`,
    mtime_s,
    content: await contentOf(entry),
    xattrs: attributes.map(([name, value]) => `${name}=${Buffer.from(value).toString("hex")}`).join(" "),
  };
}

async function contentOf(entry: LayerEntry): Promise<string> {
  switch (entry.type) {
    case "symlink":
    case "hard_link":
      return `-> ${entry.target}`;
    case "char_device":
    case "block_device":
      return `${entry.major}:${entry.minor}`;
    case "file": {
      const parts: Uint8Array[] = [];
      const { content } = entry;
      if (content instanceof Uint8Array) parts.push(content);
      else for await (const chunk of content()) parts.push(Buffer.from(chunk));
      const bytes = Buffer.concat(parts);
      const text = bytes.toString();
      if (bytes.length <= LONGEST_TEXT && Buffer.from(text).equals(bytes)) return JSON.stringify(text);
      return `${bytes.length} bytes sha256:${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
    }
    default:
      return "";
  }
}

/** What of a tree its base has not, or has otherwise. Times from `began_s` on are of the build. */
export function changesOf(tree: Tree, base: Tree, began_s: number): Map<string, Found | null> {
  const changes = new Map<string, Found | null>();
  for (const [path, is] of tree) {
    const was = base.get(path);
    const made = { ...is, mtime_s: is.mtime_s >= began_s ? null : is.mtime_s };
    if (!was || !isSame(made, was)) changes.set(path, made);
  }
  for (const path of base.keys()) if (!tree.has(path)) changes.set(path, null);
  return changes;
}

/** A folder's time says that something in it has changed, which is seen there. */
const isSame = (a: Found, b: Found): boolean =>
  a.type === b.type &&
  a.mode === b.mode &&
  a.owner === b.owner &&
  a.content === b.content &&
  a.xattrs === b.xattrs &&
  (a.mtime_s === b.mtime_s || a.type === "directory");
