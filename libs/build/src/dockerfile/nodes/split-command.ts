import { isSpace, trimSpace, trimStart } from "../source/go-text.ts";

/** A word that starts with `--`, without its quotes and escapes. */
export interface FlagWord {
  readonly text: string;
  /** Where it stands in the line, as written: [from, to). */
  readonly from: number;
  readonly to: number;
}

export interface Command {
  /** The first word, as written. */
  readonly word: string;
  readonly flags: readonly FlagWord[];
  /** What follows, trimmed. */
  readonly rest: string;
  /** Where the first word begins in the line. */
  readonly offset: number;
}

/** `RUN --mount=… make`: word, flags, rest. The words of flags are read as a shell would; a bare `--` ends them. */
export function splitCommand(line: string): Command {
  const text = trimSpace(line);
  const offset = line.length - trimStart(line).length;
  const blanks = /[\t\v\f\r ]+/.exec(text);
  if (!blanks) return { word: text, flags: [], rest: "", offset };
  const start = blanks.index + blanks[0].length;
  const { flags, end } = readFlags(text, start);
  return {
    word: text.slice(0, blanks.index),
    flags: flags.map((flag) => ({ ...flag, from: flag.from + offset, to: flag.to + offset })),
    rest: trimSpace(text.slice(end)),
    offset,
  };
}

function readFlags(text: string, start: number): { flags: FlagWord[]; end: number } {
  const flags: FlagWord[] = [];
  let at = start;
  for (;;) {
    while (at < text.length && isSpace(text[at]!)) at++;
    if (!text.startsWith("--", at)) return { flags, end: at };
    const word = readWord(text, at);
    at = word.to;
    if (word.text === "--") return { flags, end: at };
    flags.push(word);
  }
}

/** Quotes group, a backslash takes the next character as it is: always `\`, whatever the escape directive says. */
function readWord(text: string, from: number): FlagWord {
  let word = "";
  let quote = "";
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (quote === "" && isSpace(character)) break;
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character !== "\\") word += character;
    else if (++at < text.length) word += text[at]!;
  }
  return { text: word, from, to: Math.min(at, text.length) };
}
