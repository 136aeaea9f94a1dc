import { crc32 } from "node:zlib";
import type { ByteReader } from "../../bytes/byte-reader.ts";
import { ImageError } from "../../error.ts";
import { checkOf, littleEndian } from "./check.ts";
import { lzma2, type Take, taker } from "./lzma2.ts";

export const XZ_MAGIC = Buffer.from("fd377a585a00", "hex");
const LZMA2 = 0x21;
/** What `xz -9` asks for, twice. */
const MOST_REACH = 128 * 1024 * 1024;

/**
 * Unpacks xz (The .xz File Format 1.2.1): streams one after the other, every check of them looked at; of its filters LZMA2 alone.
 * @throws ImageError `corrupt`, `unsupported`
 */
export async function* unxz(reader: ByteReader): AsyncGenerator<Buffer> {
  const take = taker(reader);
  do {
    yield* stream(take);
  } while (await follows(reader, take));
}

/** Between streams there may be zeros, four at a time. */
async function follows(reader: ByteReader, take: Take): Promise<boolean> {
  for (;;) {
    const next = await reader.peek(4);
    if (next.byteLength === 0) return false;
    if (next.byteLength < 4 || next.readUInt32LE(0) !== 0) return true;
    await take(4);
  }
}

async function* stream(take: Take): AsyncGenerator<Buffer> {
  const header = await take(12);
  const flags = header.subarray(6, 8);
  if (!header.subarray(0, 6).equals(XZ_MAGIC)) throw wrong("does not begin as one");
  requireSum(flags, header.subarray(8));
  if (flags[0] !== 0 || flags[1]! > 15) throw wrong("has flags of a later version");
  for (;;) {
    const size = (await take(1))[0]!;
    if (size === 0) break;
    yield* block(take, size, flags[1]!);
  }
  const index = await skipIndex(take);
  const footer = await take(12);
  requireSum(footer.subarray(4, 10), footer.subarray(0, 4));
  const said = (footer.readUInt32LE(4) + 1) * 4;
  if (said !== index || !footer.subarray(8, 10).equals(flags) || footer.toString("latin1", 10) !== "YZ")
    throw wrong("has a footer of another stream");
}

async function* block(take: Take, size: number, checkType: number): AsyncGenerator<Buffer> {
  const rest = await take(size * 4 + 3);
  const header = Buffer.concat([Buffer.of(size), rest]);
  requireSum(header.subarray(0, -4), header.subarray(-4));
  const reach = reachOf(header.subarray(1, -4));
  let packed = 0;
  const counting: Take = async (length) => {
    packed += length;
    return take(length);
  };
  const check = checkOf(checkType);
  for await (const bytes of lzma2(counting, reach)) {
    check.update(bytes);
    yield bytes;
  }
  if ((await take((4 - (packed % 4)) % 4)).some((byte) => byte !== 0)) throw wrong("is padded with something");
  if (!(await take(check.size_bytes)).equals(check.value())) throw wrong("unpacks to something else than was packed");
}

/** How far back matches reach, of a block's header behind its size. */
function reachOf(header: Buffer): number {
  const flags = header[0]!;
  let at = 1;
  const number = () => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = header[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw wrong("has a number that does not end");
  };
  for (const sized of [0x40, 0x80]) if (flags & sized) number();
  const [filter, length] = [number(), number()];
  if ((flags & 0x3f) !== 0 || filter !== LZMA2 || length !== 1)
    throw new ImageError("unsupported", `it is packed with xz and filters of it; LZMA2 alone can be read`);
  const bits = header[at]!;
  const reach = bits === 40 ? 0xffffffff : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);
  if (bits > 40) throw wrong("asks for a dictionary of no size");
  if (reach > MOST_REACH)
    throw new ImageError(
      "unsupported",
      `it is packed with xz and a dictionary of ${reach} bytes; at most ${MOST_REACH}`,
    );
  return reach;
}

/** @returns its size */
async function skipIndex(take: Take): Promise<number> {
  const parts: Buffer[] = [Buffer.of(0)];
  const number = async () => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = await take(1);
      parts.push(byte);
      value += (byte[0]! & 0x7f) * 2 ** shift;
      if (byte[0]! < 0x80) return value;
    }
    throw wrong("has a number that does not end");
  };
  let sum = 0;
  let size = 0;
  const drain = () => {
    const bytes = Buffer.concat(parts.splice(0));
    sum = crc32(bytes, sum);
    size += bytes.byteLength;
  };
  for (let numbers = (await number()) * 2; numbers > 0; numbers--) {
    await number();
    drain();
  }
  drain();
  parts.push(await take((4 - (size % 4)) % 4));
  drain();
  if (!(await take(4)).equals(littleEndian(sum))) throw wrong("has an index that is damaged");
  return size + 4;
}

function requireSum(bytes: Buffer, sum: Buffer): void {
  if (!littleEndian(crc32(bytes)).equals(sum)) throw wrong("has a header that is damaged");
}

const wrong = (how: string) => new ImageError("corrupt", `an xz stream ${how}`);
