import type { Member } from "../tar/member.ts";
import { readTar } from "../tar/read.ts";
import { checkEntry, type FileEntry, type LayerEntry, refused, type Segment, unsupported } from "./entry.ts";
import { LAYER_LIMITS, type LayerLimits, LayerTally } from "./limits.ts";
import { nameOf } from "./name.ts";
import { whiteoutOf } from "./whiteout.ts";
import { isLeftOut, type Xattrs } from "./xattr.ts";

const XATTR = "SCHILY.xattr.";

/**
 * The entries of an uncompressed tar in the tar's order, each checked. Names are cleaned as if the root were /, so that `..` stays inside.
 * The content of a file can be read once, before the next entry is asked for; what is left unread is skipped.
 * Fails with what the source failed with, and then or when left early ends the source.
 * @throws ImageError `corrupt` when it is no tar, `refused` for what is unsafe or too much, `unsupported` for what no layer can carry.
 */
export async function* entriesOfTar(
  source: AsyncIterable<Uint8Array>,
  limits: LayerLimits = LAYER_LIMITS,
): AsyncGenerator<LayerEntry> {
  const tally = new LayerTally(limits);
  for await (const member of readTar(source)) {
    const path = cleanPath(nameOf(member.name));
    tally.add(path, member.size_bytes);
    const entry = whiteoutOf(path, member.type) ?? toEntry(path, member);
    if (entry === "skipped") continue;
    checkEntry(entry);
    yield entry;
  }
}

/** As a path in a root that cannot be left: no empty, `.` or `..` component. */
export function cleanPath(path: string): string {
  const clean: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") clean.pop();
    else if (name !== "" && name !== ".") clean.push(name);
  }
  return clean.join("/");
}

function toEntry(path: string, member: Member): LayerEntry {
  const { mode, uid, gid, mtime_s, mtime_ns } = member;
  const xattrs = xattrsOf(member);
  const attributes = {
    path,
    mode,
    uid,
    gid,
    mtime_s,
    ...(mtime_ns > 0 && { mtime_ns }),
    ...(xattrs.size > 0 && { xattrs }),
  };
  switch (member.type) {
    case "0":
      return { ...attributes, type: "file", size_bytes: member.size_bytes, once: true, ...contentOf(member) };
    case "1":
      return { ...attributes, type: "hard_link", target: cleanPath(nameOf(member.linkname)) };
    case "2":
      return { ...attributes, type: "symlink", target: nameOf(member.linkname) };
    case "3":
    case "4":
      return {
        ...attributes,
        type: member.type === "3" ? "char_device" : "block_device",
        major: member.major,
        minor: member.minor,
      };
    case "5":
      return { ...attributes, type: "directory" };
    case "6":
      return { ...attributes, type: "fifo" };
    default:
      throw unsupported(path, `it is of the type ${JSON.stringify(member.type)}, which is unknown to tar`);
  }
}

function xattrsOf({ pax, name }: Member): Xattrs {
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of pax) {
    if (!key.startsWith(XATTR)) continue; // What else there may be, others who read layers ignore as well.
    const xattr = key.slice(XATTR.length);
    if (xattr === "") throw refused(nameOf(name), "it has an attribute without a name");
    if (!isLeftOut(xattr)) xattrs.set(xattr, value);
  }
  return xattrs;
}

function contentOf(member: Member): Pick<FileEntry, "content" | "stored"> {
  const { segments, size_bytes, stored } = member;
  const isWhole = segments.length === 0 ? size_bytes === 0 : segments[0]!.length === size_bytes;
  if (isWhole) return { content: stored };
  return { content: () => filled(segments, size_bytes, stored()), stored: { segments, bytes: stored } };
}

const ZEROS = new Uint8Array(64 * 1024);

async function* filled(
  segments: readonly Segment[],
  size: number,
  stored: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let rest: Uint8Array = new Uint8Array(0);
  for (const { offset, length } of [...segments, { offset: size, length: 0 }]) {
    for (; at < offset; at += Math.min(ZEROS.byteLength, offset - at)) yield ZEROS.subarray(0, offset - at);
    for (let missing = length; missing > 0; ) {
      if (rest.byteLength === 0) rest = (await stored.next()).value as Uint8Array;
      const part = rest.subarray(0, missing);
      rest = rest.subarray(part.byteLength);
      missing -= part.byteLength;
      at += part.byteLength;
      yield part;
    }
  }
}
