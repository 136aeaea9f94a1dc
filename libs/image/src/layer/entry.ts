import { ImageError } from "../error.ts";

interface Attributes {
  /** Relative to the root, `/` between components, none at either end: `usr/bin/env`. The root itself is no entry. */
  readonly path: string;
  /** Permission bits with setuid, setgid and sticky: 0 to 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970. */
  readonly mtime_s: number;
}

export interface FileEntry extends Attributes {
  readonly type: "file";
  readonly size_bytes: number;
  readonly content: Uint8Array | (() => AsyncIterable<Uint8Array>);
  /** The content can be read once, and only before the next entry is asked for: it comes out of a stream. */
  readonly once?: true;
}

export interface DirectoryEntry extends Attributes {
  readonly type: "directory";
}

export interface SymlinkEntry extends Attributes {
  readonly type: "symlink";
  /** As it stands in the link; it may be absolute and point nowhere. It is never followed. */
  readonly target: string;
}

/**
 * What a layer can hold today. Hard links, extended attributes, devices and whiteouts come with layers that others made;
 * until then whatever reads or writes layers refuses them by name, and never drops them.
 */
export type LayerEntry = FileEntry | DirectoryEntry | SymlinkEntry;

/** tar-stream writes ids as six octal digits, and a larger id silently as the largest. */
const LARGEST_ID = 0o777777;
/** tar-stream computes times in 32 bits. */
const LARGEST_MTIME_S = 2 ** 31 - 1;
/** PATH_MAX and NAME_MAX (limits.h): what the kernel takes. */
const LONGEST_PATH_BYTES = 4095;
const LONGEST_NAME_BYTES = 255;

/** @throws ImageError `refused` for what is never right, `unsupported` for what this version cannot carry. */
export function checkEntry(entry: LayerEntry): void {
  checkPath(entry.path);
  const { path } = entry;
  if (!isWithin(entry.mode, 0o7777)) throw refused(path, `the mode ${entry.mode} is not within 0 to 07777`);
  for (const id of [entry.uid, entry.gid]) {
    if (!isWithin(id, LARGEST_ID)) throw unsupported(path, `the owner ${id} is not within 0 to ${LARGEST_ID}`);
  }
  if (!isWithin(entry.mtime_s, LARGEST_MTIME_S)) {
    throw unsupported(path, `the time ${entry.mtime_s} is not a whole second from 1970 to 2038`);
  }
  if (entry.type === "file" && !isWithin(entry.size_bytes, Number.MAX_SAFE_INTEGER)) {
    throw refused(path, `the size ${entry.size_bytes} is not a count of bytes`);
  }
  if (entry.type === "symlink") checkTarget(path, entry.target);
}

function checkPath(path: string): void {
  if (path === "" || path.includes("\0")) throw refused(path, "the path is empty or holds a NUL");
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) throw refused(path, "the path is longer than 4095 bytes");
  if (!isUnicode(path)) throw unsupported(path, "the name is not UTF-8");
  for (const name of path.split("/")) {
    if (name === "" || name === "." || name === "..") {
      throw refused(path, "the path must be relative and hold no empty, . or .. component");
    }
    if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) throw refused(path, "a component is longer than 255 bytes");
    if (name.startsWith(".wh.")) throw unsupported(path, "names that start with .wh. are whiteouts");
  }
}

function checkTarget(path: string, target: string): void {
  if (target === "" || target.includes("\0")) throw refused(path, "the link's target is empty or holds a NUL");
  if (Buffer.byteLength(target) > LONGEST_PATH_BYTES)
    throw refused(path, "the link's target is longer than 4095 bytes");
  if (!isUnicode(target)) throw unsupported(path, "the link's target is not UTF-8");
}

const isWithin = (value: number, largest: number) => Number.isSafeInteger(value) && value >= 0 && value <= largest;

/** A decoder leaves U+FFFD where bytes were no UTF-8: what was there cannot be known any more. */
const isUnicode = (text: string) => text.isWellFormed() && !text.includes("\ufffd");

export const refused = (path: string, why: string) =>
  new ImageError("refused", `the layer entry "${path}" is refused: ${why}`);
export const unsupported = (path: string, why: string) =>
  new ImageError("unsupported", `the layer entry "${path}" cannot be carried by this version: ${why}`);
