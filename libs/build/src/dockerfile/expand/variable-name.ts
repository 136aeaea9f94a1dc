import type { CharacterReader } from "./character-reader.ts";

/** `$1`, `$@` and others of a shell are names too; nothing ever sets them (POSIX.1-2017, shell, 2.5.2). */
const SPECIAL = /^[@*#?$!0-]$/;
const DIGIT = /^\p{Nd}$/u;
const PART = /^[\p{L}\p{Nd}_]$/u;

/** The name of a variable; empty when there is none here. Digits at the start are a name of their own: `$99bottles` is `$99`, `bottles`. */
export function readName(reader: CharacterReader): string {
  const first = reader.peek() ?? "";
  if (DIGIT.test(first)) return takeWhile(reader, DIGIT);
  if (SPECIAL.test(first)) return reader.take()!;
  return takeWhile(reader, PART);
}

function takeWhile(reader: CharacterReader, kind: RegExp): string {
  let name = "";
  while (kind.test(reader.peek() ?? "")) name += reader.take();
  return name;
}
