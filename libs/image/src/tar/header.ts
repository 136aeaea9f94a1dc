import { ImageError } from "../error.ts";
import { formatOctal, parseNumber } from "./number.ts";

export const BLOCK_BYTES = 512;

/** One block of a tar as it stands there (pax(1), "ustar Interchange Format"). */
export interface Header {
  readonly name: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime_s: number;
  /** One character; "0" for plain files. */
  readonly type: string;
  readonly linkname: Buffer;
  readonly major: number;
  readonly minor: number;
}

export const isZeroBlock = (block: Buffer) => block.every((byte) => byte === 0);

/** @throws ImageError `corrupt` when the block is no header. */
export function parseHeader(block: Buffer): Header {
  checkSum(block);
  const field = (start: number, end: number) => block.subarray(start, end);
  const typeByte = block[156]!;
  const type = typeByte === 0 ? "0" : String.fromCharCode(typeByte);
  const name = upToNul(field(0, 100));
  const prefix = prefixOf(block);
  const hasDevice = type === "3" || type === "4";
  return {
    name: prefix.byteLength > 0 ? Buffer.concat([prefix, Buffer.from("/"), name]) : name,
    mode: parseNumber(field(100, 108)),
    uid: parseNumber(field(108, 116)),
    gid: parseNumber(field(116, 124)),
    size: parseNumber(field(124, 136)),
    mtime_s: parseNumber(field(136, 148)),
    type,
    linkname: upToNul(field(157, 257)),
    major: hasDevice ? parseNumber(field(329, 337)) : 0,
    minor: hasDevice ? parseNumber(field(337, 345)) : 0,
  };
}

/** The rest of a long name. GNU's magic ends in two blanks and has other things there; star's own has a shorter field. */
function prefixOf(block: Buffer): Buffer {
  if (block.toString("latin1", 257, 263) !== "ustar\0") return Buffer.alloc(0);
  const isStar = block.toString("latin1", 508, 512) === "tar\0";
  return upToNul(block.subarray(345, isStar ? 476 : 500));
}

/** Bytes as unsigned numbers, the sum's own field as blanks. Some old programs summed signed ones. */
function checkSum(block: Buffer): void {
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : block[at]!;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const said = parseNumber(block.subarray(148, 156));
  if (said !== unsigned && said !== signed) throw new ImageError("corrupt", "a tar header's checksum is wrong");
}

export function upToNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

/** Names longer than 100 bytes and numbers that do not fit are for a PAX record to say. */
export function formatHeader(header: Header): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  header.name.copy(block, 0, 0, 100);
  block.write(formatOctal(header.mode, 8), 100, "latin1");
  block.write(formatOctal(header.uid, 8), 108, "latin1");
  block.write(formatOctal(header.gid, 8), 116, "latin1");
  block.write(formatOctal(header.size, 12), 124, "latin1");
  block.write(formatOctal(header.mtime_s, 12), 136, "latin1");
  block.write(" ".repeat(8), 148, "latin1");
  block.write(header.type, 156, "latin1");
  header.linkname.copy(block, 157, 0, 100);
  block.write("ustar\x0000", 257, "latin1");
  block.write(formatOctal(header.major, 8), 329, "latin1");
  block.write(formatOctal(header.minor, 8), 337, "latin1");
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
