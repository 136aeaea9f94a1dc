import type { DirectoryEntry, FileEntry, LayerEntry, SymlinkEntry } from "../layer/entry.ts";

/** For tests: entries with everything given, so that each test names only what it is about. */
const ATTRIBUTES = { mode: 0o644, uid: 0, gid: 0, mtime_s: 1_700_000_000 };

export function file(path: string, text = "", attributes: Partial<FileEntry> = {}): FileEntry {
  const content = Buffer.from(text);
  return { type: "file", path, ...ATTRIBUTES, size_bytes: content.byteLength, content, ...attributes };
}

export const directory = (path: string, attributes: Partial<DirectoryEntry> = {}): DirectoryEntry => ({
  type: "directory",
  path,
  ...ATTRIBUTES,
  mode: 0o755,
  ...attributes,
});

export const symlink = (path: string, target: string, attributes: Partial<SymlinkEntry> = {}): SymlinkEntry => ({
  type: "symlink",
  path,
  ...ATTRIBUTES,
  mode: 0o777,
  target,
  ...attributes,
});

export async function* stream(entries: Iterable<LayerEntry>): AsyncGenerator<LayerEntry> {
  yield* entries;
}
