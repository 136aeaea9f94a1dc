import { ImageError } from "../error.ts";

/**
 * A number in a tar header: octal digits, or base 256 with the first bit set (GNU, star), which may be negative.
 * Blanks and NULs around it are padding; nothing at all is 0, as old archives have it.
 */
export function parseNumber(field: Buffer): number {
  const value = field[0]! & 0x80 ? parseBinary(field) : parseOctal(field);
  if (!Number.isSafeInteger(value)) throw new ImageError("corrupt", `a tar header holds the number ${value}`);
  return value;
}

function parseOctal(field: Buffer): number {
  const text = field.toString("latin1").replace(/^[ \0]+/, "");
  const digits = /^[0-7]*/.exec(text)![0];
  if (!/^[ \0]|^$/.test(text.slice(digits.length))) {
    throw new ImageError("corrupt", `a tar header has ${JSON.stringify(text)} where octal digits should be`);
  }
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

/** Two's complement over all bits but the first (GNU tar manual, "Extensions"). */
function parseBinary(field: Buffer): number {
  const bits = BigInt(field.byteLength * 8 - 1);
  const value = BigInt(`0x${field.toString("hex")}`) & ((1n << bits) - 1n);
  return Number(field[0]! & 0x40 ? value - (1n << bits) : value);
}

/** Octal digits, left-padded, with a NUL; all zeros when it does not fit, because a PAX record says it then. */
export function formatOctal(value: number, width: number): string {
  const fits = value >= 0 && value < 8 ** (width - 1);
  return `${(fits ? value : 0).toString(8).padStart(width - 1, "0")}\0`;
}
