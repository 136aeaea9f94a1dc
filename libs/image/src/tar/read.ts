import { ByteReader } from "../bytes/byte-reader.ts";
import { ImageError } from "../error.ts";
import { BLOCK_BYTES, type Header, isZeroBlock, parseHeader, upToNul } from "./header.ts";
import type { Member } from "./member.ts";
import { countOf, type Pax, parsePax, parseTime } from "./pax.ts";
import { checkSparse, readOldSparse, readPaxSparse, type Sparse } from "./sparse.ts";

/** What names and PAX records of one member may have together; GNU tar writes a few KiB, attributes can be 64 KiB each. */
const LARGEST_EXTENSION = 1024 * 1024;

const NONE: Pax = new Map();
const corrupt = (what: string) => new ImageError("corrupt", `reading a tar: ${what}`);

/** What comes before a member and is about it. */
interface Extensions {
  pax: Pax;
  name: Buffer | null;
  linkname: Buffer | null;
}

/**
 * The members of an uncompressed tar: v7, ustar, PAX, GNU, star. Reads to the end of the source, also behind the archive's end.
 * Global PAX headers are skipped, as whoever else reads layers does (Go's archive/tar). Ends the source when it is left early.
 * @throws ImageError `corrupt`
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Member> {
  const reader = new ByteReader(source);
  try {
    let extensions: Extensions = { pax: NONE, name: null, linkname: null };
    for (let block = await nextHeader(reader); block !== null; block = await nextHeader(reader)) {
      const header = parseHeader(block);
      if (await readExtension(header, extensions, reader)) continue;
      const { member, body } = await toMember(block, header, extensions, reader);
      if (member) yield member;
      await body.drain();
      extensions = { pax: NONE, name: null, linkname: null };
    }
    // Whoever hashes the source wants all of it.
    while ((await reader.some(Infinity)) !== null);
  } finally {
    await reader.close();
  }
}

/** Null at the end: two blocks of zeros, or nothing more, as some programs leave it. */
async function nextHeader(reader: ByteReader): Promise<Buffer | null> {
  const block = await reader.exactly(BLOCK_BYTES);
  if (block === null) return null;
  if (block.byteLength < BLOCK_BYTES) throw corrupt("it ends inside of a header");
  if (!isZeroBlock(block)) return block;
  const second = await reader.exactly(BLOCK_BYTES);
  if (second !== null && !isZeroBlock(second)) throw corrupt("there is something behind its end");
  return null;
}

/** True when the header was only about the member that comes after it. */
async function readExtension({ type, size }: Header, extensions: Extensions, reader: ByteReader): Promise<boolean> {
  if (!"xXgLK".includes(type)) return false;
  if (size > LARGEST_EXTENSION) throw corrupt(`an extended header has ${size} bytes, 1 MiB is the most`);
  const body = new Body(reader, size);
  const bytes = Buffer.concat(await Array.fromAsync(body.chunks()));
  await body.drain();
  if (type === "x" || type === "X") extensions.pax = parsePax(bytes);
  else if (type === "L") extensions.name = upToNul(bytes);
  else if (type === "K") extensions.linkname = upToNul(bytes);
  return true;
}

async function toMember(
  block: Buffer,
  header: Header,
  { pax, name, linkname }: Extensions,
  reader: ByteReader,
): Promise<{ member: Member | null; body: Body }> {
  const own = pax.get("GNU.sparse.name") ?? pax.get("path") ?? name ?? header.name;
  const type = typeOf(header.type, own);
  // A link or folder that says it has bytes has none (Go, isHeaderOnlyType); a backup's folder has its list of names.
  const hasContent = header.type === "D" || !"123456".includes(type);
  const size = hasContent ? (countOf(pax, "size") ?? header.size) : 0;
  if (size < 0) throw corrupt(`a member has the size ${size}`);
  const sparse = await sparseOf(block, header, pax, reader);
  const body = new Body(reader, size - (sparse?.map_bytes ?? 0));
  if (type === "V") return { member: null, body }; // The label of a volume.
  const mtime = pax.has("mtime") ? parseTime(pax.get("mtime")!.toString("latin1")) : { s: header.mtime_s, ns: 0 };
  const whole = body.size > 0 ? [{ offset: 0, length: body.size }] : [];
  const member: Member = {
    name: own,
    linkname: pax.get("linkpath") ?? linkname ?? header.linkname,
    type,
    mode: header.mode & 0o7777,
    uid: countOf(pax, "uid") ?? header.uid,
    gid: countOf(pax, "gid") ?? header.gid,
    mtime_s: mtime.s,
    mtime_ns: mtime.ns,
    major: header.major,
    minor: header.minor,
    pax,
    size_bytes: sparse?.size_bytes ?? body.size,
    segments: sparse ? checkSparse(sparse, body.size) : whole,
    stored: () => body.chunks(),
  };
  return { member, body };
}

/** Before ustar a folder was a file whose name ends in a slash; 7 is a file that wants to lie in one piece; S has holes. */
function typeOf(type: string, name: Buffer): string {
  if (type === "D") return "5";
  if (type === "0" && name.at(-1) === 0x2f) return "5";
  return type === "7" || type === "S" ? "0" : type;
}

function sparseOf(block: Buffer, { type }: Header, pax: Pax, reader: ByteReader): Promise<Sparse | null> {
  return type === "S" ? readOldSparse(block, reader) : readPaxSparse(pax, reader);
}

/** What is stored of a member, padded to whole blocks. */
class Body {
  readonly #reader: ByteReader;
  readonly size: number;
  #left: number;

  constructor(reader: ByteReader, size: number) {
    if (size < 0) throw corrupt("a sparse file is shorter than its map");
    this.#reader = reader;
    this.size = size;
    this.#left = size;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) yield await this.#take();
  }

  async #take(): Promise<Uint8Array> {
    const chunk = await this.#reader.some(this.#left);
    if (chunk === null) throw corrupt("it ends inside of a file");
    this.#left -= chunk.byteLength;
    return chunk;
  }

  /** Takes what nobody read, and the padding. */
  async drain(): Promise<void> {
    while (this.#left > 0) await this.#take();
    const padding = (BLOCK_BYTES - (this.size % BLOCK_BYTES)) % BLOCK_BYTES;
    if (padding === 0) return;
    // Some programs leave out the last padding of all.
    const bytes = await this.#reader.exactly(padding);
    if (bytes !== null && bytes.byteLength < padding) throw corrupt("it ends inside of a block");
  }
}
