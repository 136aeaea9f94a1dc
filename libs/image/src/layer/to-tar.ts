import { coalesced } from "../bytes/coalesce.ts";
import { BLOCK_BYTES, formatHeader } from "../tar/header.ts";
import { formatPax, formatTime } from "../tar/pax.ts";
import { type FileEntry, type LayerEntry, refused } from "./entry.ts";
import { bytesOf } from "./name.ts";
import { whiteoutName } from "./whiteout.ts";

/** Of a header's fields: two blocks of octal digits, and the bytes for a name. */
const LARGEST_ID = 0o7777777;
const LARGEST_SIZE = 0o77777777777;
const LONGEST_NAME = 100;
const ASCII = /^[\x20-\x7e]*$/;

const TYPE: Readonly<Record<LayerEntry["type"], string>> = {
  file: "0",
  hard_link: "1",
  symlink: "2",
  char_device: "3",
  block_device: "4",
  directory: "5",
  fifo: "6",
  whiteout: "0",
  opaque: "0",
};

/**
 * Entries, in the order given, as a tar: ustar, with PAX records where ustar cannot say it, no names of users and groups, no times but
 * the entries' own, holes as zeros. Equal entries give equal bytes. Each content is read before the next entry is asked for.
 */
export function tarOf(entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>): AsyncGenerator<Uint8Array> {
  return coalesced(pieces(entries));
}

async function* pieces(entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    yield* headersOf(entry);
    if (entry.type === "file") yield* contentOf(entry);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function headersOf(entry: LayerEntry): Buffer[] {
  const isMark = entry.type === "whiteout" || entry.type === "opaque";
  const {
    mode,
    uid,
    gid,
    mtime_s,
    mtime_ns = 0,
    xattrs,
  } = isMark ? { mode: 0, uid: 0, gid: 0, mtime_s: 0, xattrs: undefined } : entry;
  const name = bytesOf(nameIn(entry));
  const linkname = bytesOf(entry.type === "symlink" || entry.type === "hard_link" ? entry.target : "");
  const size = entry.type === "file" ? entry.size_bytes : 0;
  const { major, minor } = "major" in entry ? entry : { major: 0, minor: 0 };
  const pax = new Map<string, Buffer>();
  if (!fitsUstar(name)) pax.set("path", name);
  if (!fitsUstar(linkname)) pax.set("linkpath", linkname);
  if (uid > LARGEST_ID) pax.set("uid", Buffer.from(String(uid)));
  if (gid > LARGEST_ID) pax.set("gid", Buffer.from(String(gid)));
  if (size > LARGEST_SIZE) pax.set("size", Buffer.from(String(size)));
  if (mtime_ns > 0 || mtime_s < 0 || mtime_s > LARGEST_SIZE)
    pax.set("mtime", Buffer.from(formatTime(mtime_s, mtime_ns)));
  for (const [key, value] of xattrs ?? []) pax.set(`SCHILY.xattr.${key}`, Buffer.from(value));
  const header = formatHeader({ name, mode, uid, gid, size, mtime_s, type: TYPE[entry.type], linkname, major, minor });
  return pax.size === 0 ? [header] : [...extension(formatPax(pax)), header];
}

function nameIn(entry: LayerEntry): string {
  if (entry.type === "whiteout" || entry.type === "opaque") return whiteoutName(entry);
  if (entry.type === "directory") return entry.path === "" ? "./" : `${entry.path}/`;
  return entry.path;
}

const fitsUstar = (name: Buffer) => name.byteLength <= LONGEST_NAME && ASCII.test(name.toString("latin1"));

function extension(records: Buffer): Buffer[] {
  const header = formatHeader({
    name: Buffer.from("PaxHeaders.0/x"),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.byteLength,
    mtime_s: 0,
    type: "x",
    linkname: Buffer.alloc(0),
    major: 0,
    minor: 0,
  });
  return [header, records, padding(records.byteLength)];
}

async function* contentOf(entry: FileEntry): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of chunksOf(entry)) {
    written += chunk.byteLength;
    if (written > entry.size_bytes) break;
    yield chunk;
  }
  if (written !== entry.size_bytes) {
    throw refused(entry.path, `${entry.size_bytes} bytes were announced and its content has another size`);
  }
  yield padding(written);
}

const padding = (size: number) => Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);

export async function* chunksOf(entry: FileEntry): AsyncGenerator<Uint8Array> {
  if (entry.content instanceof Uint8Array) yield entry.content;
  else yield* entry.content();
}
