import { isUtf8 } from "node:buffer";
import { ImageError } from "../error.ts";

/**
 * Names of files are bytes, and most of them are UTF-8. A byte that is not becomes a lone surrogate U+DC80 to U+DCFF (as Python's
 * `surrogateescape` has it, PEP 383), so that every name is a string and every such string gives its bytes back.
 */
export function nameOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  let name = "";
  for (let at = 0; at < bytes.byteLength; ) {
    const length = [1, 2, 3, 4].find((n) => at + n <= bytes.byteLength && isUtf8(bytes.subarray(at, at + n)));
    name += length ? bytes.toString("utf8", at, at + length) : String.fromCharCode(0xdc00 + bytes[at]!);
    at += length ?? 1;
  }
  return name;
}

/** @throws ImageError `refused` for a lone surrogate that stands for no byte. */
export function bytesOf(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name, "utf8");
  const parts = Array.from(name, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0xd800 || code > 0xdfff) return Buffer.from(character, "utf8");
    if (code >= 0xdc80 && code <= 0xdcff) return Buffer.of(code - 0xdc00);
    throw new ImageError("refused", `the name ${JSON.stringify(name)} is no sequence of bytes`);
  });
  return Buffer.concat(parts);
}
