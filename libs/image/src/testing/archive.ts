import { BLOCK_BYTES, formatHeader } from "../tar/header.ts";
import { formatPax } from "../tar/pax.ts";

/** For tests: members as strangers write them, names and all. */
export interface Written {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime_s?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly content?: string | Buffer;
  /** Said instead of the content's own. */
  readonly size?: number;
  readonly pax?: Readonly<Record<string, string | Buffer>>;
}

export function member(type: string, name: string, linkname = "", written: Written = {}): Buffer {
  const { mode = 0o644, uid = 0, gid = 0, mtime_s = 1_700_000_000, major = 0, minor = 0, pax } = written;
  const content = Buffer.from(written.content ?? "");
  const size = written.size ?? content.byteLength;
  const header = (typeflag: string, path: string, length: number) =>
    formatHeader({
      name: Buffer.from(path),
      mode,
      uid,
      gid,
      size: length,
      mtime_s,
      type: typeflag,
      linkname: Buffer.from(linkname),
      major,
      minor,
    });
  const own = Buffer.concat([header(type, name, size), padded(content)]);
  if (!pax) return own;
  const records = formatPax(new Map(Object.entries(pax).map(([key, value]) => [key, Buffer.from(value)])));
  return Buffer.concat([header("x", "pax", records.byteLength), padded(records), own]);
}

export const dir = (name: string, mode = 0o755) => member("5", name, "", { mode });
export const file = (name: string, content = "", written: Written = {}) =>
  member("0", name, "", { content, ...written });
export const symlink = (name: string, target: string) => member("2", name, target, { mode: 0o777 });
export const hardLink = (name: string, target: string) => member("1", name, target);

export const archive = (...members: readonly Buffer[]): Buffer =>
  Buffer.concat([...members, Buffer.alloc(2 * BLOCK_BYTES)]);

const padded = (bytes: Buffer) =>
  Buffer.concat([bytes, Buffer.alloc((BLOCK_BYTES - (bytes.byteLength % BLOCK_BYTES)) % BLOCK_BYTES)]);

export async function* inChunks(bytes: Buffer, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}
