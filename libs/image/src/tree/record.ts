import { ByteReader } from "../bytes/byte-reader.ts";
import { ImageError } from "../error.ts";
import type { FileEntry, LayerEntry, Segment } from "../layer/entry.ts";
import { bytesOf, nameOf } from "../layer/name.ts";
import type { Xattrs } from "../layer/xattr.ts";

/** Entries as they cross to and from layer-tree; the format stands in native/record.h. */
const HEAD_BYTES = 56;
const XATTR_HEAD_BYTES = 6;
const SEGMENT_BYTES = 16;

const TYPE: Readonly<Record<LayerEntry["type"], string>> = {
  directory: "d",
  file: "f",
  symlink: "l",
  hard_link: "h",
  char_device: "c",
  block_device: "b",
  fifo: "p",
  whiteout: "w",
  opaque: "o",
};
const END = "E".charCodeAt(0);
const TYPE_OF = new Map(Object.entries(TYPE).map(([type, letter]) => [letter, type as LayerEntry["type"]]));

/** Everything but a file's bytes. */
export function encodeRecord(entry: LayerEntry): Buffer {
  const isMark = entry.type === "whiteout" || entry.type === "opaque";
  const path = bytesOf(entry.path);
  const target = bytesOf(entry.type === "symlink" || entry.type === "hard_link" ? entry.target : "");
  const xattrs = isMark ? [] : [...(entry.xattrs ?? [])].map(encodeXattr);
  const xattrBytes = xattrs.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const segments = entry.type === "file" ? segmentsOf(entry) : [];
  const record = Buffer.alloc(
    HEAD_BYTES + path.byteLength + target.byteLength + xattrBytes + segments.length * SEGMENT_BYTES,
  );
  record.write(TYPE[entry.type], 0, "latin1");
  record.writeUInt16LE(path.byteLength, 2);
  record.writeUInt16LE(target.byteLength, 4);
  record.writeUInt16LE(xattrs.length, 6);
  if (!isMark) {
    record.writeUInt32LE(entry.mode, 8);
    record.writeUInt32LE(entry.uid, 12);
    record.writeUInt32LE(entry.gid, 16);
    record.writeUInt32LE(entry.mtime_ns ?? 0, 20);
    record.writeBigInt64LE(BigInt(entry.mtime_s), 24);
  }
  if (entry.type === "file") record.writeBigUInt64LE(BigInt(entry.size_bytes), 32);
  if ("major" in entry) {
    record.writeUInt32LE(entry.major, 40);
    record.writeUInt32LE(entry.minor, 44);
  }
  record.writeUInt32LE(xattrBytes, 48);
  record.writeUInt32LE(segments.length, 52);
  let at = HEAD_BYTES;
  for (const part of [path, target, ...xattrs, ...segments.map(encodeSegment)]) at += part.copy(record, at);
  return record;
}

export function encodeEnd(): Buffer {
  const record = Buffer.alloc(HEAD_BYTES);
  record[0] = END;
  return record;
}

function segmentsOf(entry: FileEntry): readonly Segment[] {
  if (entry.stored) return entry.stored.segments;
  return entry.size_bytes > 0 ? [{ offset: 0, length: entry.size_bytes }] : [];
}

function encodeSegment({ offset, length }: Segment): Buffer {
  const bytes = Buffer.alloc(SEGMENT_BYTES);
  bytes.writeBigUInt64LE(BigInt(offset), 0);
  bytes.writeBigUInt64LE(BigInt(length), 8);
  return bytes;
}

function encodeXattr([name, value]: [string, Uint8Array]): Buffer {
  const head = Buffer.alloc(XATTR_HEAD_BYTES);
  const nameBytes = Buffer.from(name);
  head.writeUInt16LE(nameBytes.byteLength, 0);
  head.writeUInt32LE(value.byteLength, 2);
  return Buffer.concat([head, nameBytes, value]);
}

/** Entries out of a stream, until RECORD_END. */
export class RecordReader {
  readonly #reader: ByteReader;
  /** Of the last file's content, what was not read yet. */
  #unread = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#reader = new ByteReader(source);
  }

  /** Null at the end. What is left unread of the last file is skipped. */
  async next(): Promise<LayerEntry | null> {
    while (this.#unread > 0) await this.#some();
    const head = await this.#take(HEAD_BYTES);
    if (head[0] === END) return null;
    const path = nameOf(await this.#take(head.readUInt16LE(2)));
    const target = nameOf(await this.#take(head.readUInt16LE(4)));
    const xattrs = decodeXattrs(await this.#take(head.readUInt32LE(48)));
    await this.#take(head.readUInt32LE(52) * SEGMENT_BYTES);
    const entry = toEntry(head, path, target, xattrs, () => this.#content());
    this.#unread = entry.type === "file" ? entry.size_bytes : 0;
    return entry;
  }

  async *#content(): AsyncGenerator<Uint8Array> {
    while (this.#unread > 0) yield await this.#some();
  }

  async #some(): Promise<Uint8Array> {
    const chunk = await this.#reader.some(this.#unread);
    if (chunk === null) throw cut();
    this.#unread -= chunk.byteLength;
    return chunk;
  }

  async #take(length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    const bytes = await this.#reader.exactly(length);
    if (bytes?.byteLength !== length) throw cut();
    return bytes;
  }
}

function toEntry(
  head: Buffer,
  path: string,
  target: string,
  xattrs: Xattrs,
  content: () => AsyncIterable<Uint8Array>,
): LayerEntry {
  const type = TYPE_OF.get(String.fromCharCode(head[0]!));
  const mtime_ns = head.readUInt32LE(20);
  const attributes = {
    path,
    mode: head.readUInt32LE(8),
    uid: head.readUInt32LE(12),
    gid: head.readUInt32LE(16),
    mtime_s: Number(head.readBigInt64LE(24)),
    ...(mtime_ns > 0 && { mtime_ns }),
    ...(xattrs.size > 0 && { xattrs }),
  };
  switch (type) {
    case undefined:
      throw new ImageError("io", `layer-tree sent a record of the type ${head[0]}`);
    case "whiteout":
    case "opaque":
      return { type, path };
    case "file":
      return { ...attributes, type, size_bytes: Number(head.readBigUInt64LE(32)), content, once: true };
    case "symlink":
    case "hard_link":
      return { ...attributes, type, target };
    case "char_device":
    case "block_device":
      return { ...attributes, type, major: head.readUInt32LE(40), minor: head.readUInt32LE(44) };
    default:
      return { ...attributes, type };
  }
}

function decodeXattrs(bytes: Buffer): Xattrs {
  const xattrs = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.byteLength; ) {
    const name = at + XATTR_HEAD_BYTES;
    const value = name + bytes.readUInt16LE(at);
    const end = value + bytes.readUInt32LE(at + 2);
    xattrs.set(nameOf(bytes.subarray(name, value)), bytes.subarray(value, end));
    at = end;
  }
  return xattrs;
}

/** Whoever started layer-tree asks it for the reason. */
const cut = () => new ImageError("io", "layer-tree ended in the middle");
