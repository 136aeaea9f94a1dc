import { ImageError } from "../error.ts";
import { bytesOf } from "./name.ts";
import { checkXattrs, type Xattrs } from "./xattr.ts";

interface Place {
  /**
   * Relative to the root, `/` between components, none at either end: `usr/bin/env`; "" is the root itself.
   * Bytes that are no UTF-8 stand as lone surrogates (name.ts).
   */
  readonly path: string;
}

interface Attributes extends Place {
  /** Permission bits with setuid, setgid and sticky: 0 to 07777. */
  readonly mode: number;
  /** 0 to 2^32 - 2. */
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970; may be negative. */
  readonly mtime_s: number;
  /** 0 to 999 999 999, added to `mtime_s`; 0 when not given. */
  readonly mtime_ns?: number;
  readonly xattrs?: Xattrs;
}

export interface FileEntry extends Attributes {
  readonly type: "file";
  readonly size_bytes: number;
  readonly content: Uint8Array | (() => AsyncIterable<Uint8Array>);
  /** The content can be read once, and only before the next entry is asked for: it comes out of a stream. */
  readonly once?: true;
  /** The content without its holes, for whoever can make holes. Reading it is reading the content. */
  readonly stored?: { readonly segments: readonly Segment[]; readonly bytes: () => AsyncIterable<Uint8Array> };
}

/** Where bytes of a file with holes go. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

export interface DirectoryEntry extends Attributes {
  readonly type: "directory";
}

export interface SymlinkEntry extends Attributes {
  readonly type: "symlink";
  /** As it stands in the link; it may be absolute and point nowhere. It is never followed out of the root. */
  readonly target: string;
}

/** One more name of a file that stands before it in the layer, or in a layer below. Attributes are the file's. */
export interface HardLinkEntry extends Attributes {
  readonly type: "hard_link";
  /** A path like any entry's. */
  readonly target: string;
}

export interface DeviceEntry extends Attributes {
  readonly type: "char_device" | "block_device";
  readonly major: number;
  readonly minor: number;
}

export interface FifoEntry extends Attributes {
  readonly type: "fifo";
}

/** What the layers below have at this path is gone (OCI image spec, layer.md, "Whiteouts"). */
export interface WhiteoutEntry extends Place {
  readonly type: "whiteout";
}

/** What the layers below have in this folder is gone; what this layer has there stays. */
export interface OpaqueEntry extends Place {
  readonly type: "opaque";
}

export type LayerEntry =
  | FileEntry
  | DirectoryEntry
  | SymlinkEntry
  | HardLinkEntry
  | DeviceEntry
  | FifoEntry
  | WhiteoutEntry
  | OpaqueEntry;

/** (uid_t) -1 means "no change" to chown(2). */
const LARGEST_ID = 2 ** 32 - 2;
/** PATH_MAX and NAME_MAX (limits.h): what the kernel takes. */
export const LONGEST_PATH_BYTES = 4095;
const LONGEST_NAME_BYTES = 255;
/** 12 and 20 bits (linux/kdev_t.h). */
const LARGEST_MAJOR = 0xfff;
const LARGEST_MINOR = 0xfffff;

/** @throws ImageError `refused`, or `unsupported` for attributes that no layer may hold; it names the entry. */
export function checkEntry(entry: LayerEntry): void {
  const { path } = entry;
  checkPath(path, path);
  if (path === "" && entry.type !== "directory" && entry.type !== "opaque") {
    throw refused(path, `the root is a folder, and it says it is a ${entry.type}`);
  }
  if (entry.type === "whiteout" || entry.type === "opaque") return;
  checkAttributes(entry);
  if (entry.type === "file" && !isWithin(entry.size_bytes, Number.MAX_SAFE_INTEGER)) {
    throw refused(path, `the size ${entry.size_bytes} is not a count of bytes`);
  }
  if (entry.type === "symlink") checkTarget(path, entry.target);
  if (entry.type === "hard_link") checkPath(entry.target, path);
  if (entry.type === "char_device" || entry.type === "block_device") checkDevice(entry);
}

function checkAttributes(entry: Attributes): void {
  const { path, mode, uid, gid, mtime_s, mtime_ns = 0 } = entry;
  if (!isWithin(mode, 0o7777)) throw refused(path, `the mode ${mode} is not within 0 to 07777`);
  for (const id of [uid, gid]) {
    if (!isWithin(id, LARGEST_ID)) throw refused(path, `the owner ${id} is not within 0 to ${LARGEST_ID}`);
  }
  if (!Number.isSafeInteger(mtime_s) || !isWithin(mtime_ns, 999_999_999)) {
    throw refused(path, `the time ${mtime_s} s ${mtime_ns} ns is not whole seconds and nanoseconds`);
  }
  if (entry.xattrs) checkXattrs(entry.xattrs, path);
}

function checkPath(path: string, entry: string): void {
  if (path === "") return;
  if (path.includes("\0")) throw refused(entry, "the path holds a NUL");
  if (bytesOf(path).byteLength > LONGEST_PATH_BYTES) throw refused(entry, "the path is longer than 4095 bytes");
  for (const name of path.split("/")) {
    if (name === "" || name === "." || name === "..") {
      throw refused(entry, "the path must be relative and hold no empty, . or .. component");
    }
    if (bytesOf(name).byteLength > LONGEST_NAME_BYTES) throw refused(entry, "a component is longer than 255 bytes");
    if (name.startsWith(".wh.")) throw refused(entry, "names that start with .wh. are whiteouts");
  }
}

function checkTarget(path: string, target: string): void {
  if (target === "" || target.includes("\0")) throw refused(path, "the link's target is empty or holds a NUL");
  if (bytesOf(target).byteLength > LONGEST_PATH_BYTES)
    throw refused(path, "the link's target is longer than 4095 bytes");
}

function checkDevice({ path, type, major, minor }: DeviceEntry): void {
  if (!isWithin(major, LARGEST_MAJOR) || !isWithin(minor, LARGEST_MINOR))
    throw refused(path, `there is no device ${major}:${minor}`);
  // overlayfs would take it for a whiteout, and so would whoever reads the layer.
  if (type === "char_device" && major === 0 && minor === 0) throw refused(path, "the device 0:0 is overlayfs' own");
}

const isWithin = (value: number, largest: number) => Number.isSafeInteger(value) && value >= 0 && value <= largest;

export const refused = (path: string, why: string) =>
  new ImageError("refused", `the layer entry ${JSON.stringify(path)} is refused: ${why}`);
export const unsupported = (path: string, why: string) =>
  new ImageError("unsupported", `the layer entry ${JSON.stringify(path)} cannot be carried: ${why}`);
