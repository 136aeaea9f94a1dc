import { buffer } from "node:stream/consumers";
import { crc32, deflateRawSync } from "node:zlib";
import { type Header, pack } from "tar-stream";

/** An entry as it stands in an archive, true or forged. A string is a file. */
export type Entry = string | Uint8Array | (Partial<Header> & { content?: string | Uint8Array });

/** A tar with these entries in this order; a name may come twice. */
export async function tarOf(entries: readonly (readonly [name: string, entry: Entry])[]): Promise<Buffer> {
  const tar = pack();
  const whole = buffer(tar as never);
  for (const [name, entry] of entries) {
    const { content = "", ...header } =
      typeof entry === "string" || entry instanceof Uint8Array ? { content: entry } : entry;
    tar.entry({ name, ...header }, Buffer.from(content));
  }
  tar.finalize();
  return whole;
}

export const symlink = (linkname: string): Entry => ({ type: "symlink", linkname });
export const hardLink = (linkname: string): Entry => ({ type: "link", linkname });

export interface ZipEntry {
  readonly content: string | Uint8Array;
  /** st_mode as a Unix writes it; 0 as others do. */
  readonly mode?: number;
  /** The size it claims to have. */
  readonly claims?: number;
}

const UNIX = 3 << 8;
const DEFLATE = 8;

/** A zip written by hand, because a good library refuses to write what we must refuse to read (PKWARE's APPNOTE 4.3). */
export function zipOf(entries: readonly (readonly [name: string, entry: ZipEntry | string])[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, entry] of entries) {
    const { content, mode = 0, claims } = typeof entry === "string" ? { content: entry } : (entry as ZipEntry);
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const path = Buffer.from(name);
    const same = Buffer.alloc(26);
    same.writeUInt16LE(20, 0);
    same.writeUInt16LE(0x800, 2); // Names are UTF-8.
    same.writeUInt16LE(DEFLATE, 4);
    same.writeUInt32LE(crc32(bytes), 10);
    same.writeUInt32LE(packed.byteLength, 14);
    same.writeUInt32LE(claims ?? bytes.byteLength, 18);
    same.writeUInt16LE(path.byteLength, 22);
    const file = Buffer.concat([Buffer.from("PK\x03\x04"), same, path, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02"), word(UNIX | 20), same, rest, path]));
    files.push(file);
    at += file.byteLength;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.byteLength, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...files, central, Buffer.from("PK\x05\x06"), end]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** A ustar header by hand, with a size that need not be true. */
export function headerOf(name: string, size: number, typeflag: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(typeflag, 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
