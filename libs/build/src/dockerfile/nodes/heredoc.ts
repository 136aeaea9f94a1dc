import { Lexer } from "../expand/lexer.ts";
import type { PhysicalLines } from "../lines/physical.ts";
import { withoutLineEnd } from "../lines/physical.ts";
import { DockerfileError } from "../source/failure.ts";
import type { Range } from "../source/position.ts";

/** `<<NAME` in a RUN, COPY or ADD, and the lines up to the one that is NAME. */
export interface Heredoc {
  readonly name: string;
  /** Nothing of the name was quoted: COPY and ADD expand the body. */
  readonly expand: boolean;
  /** `<<-`: tabs at the start of lines are not part of the body. */
  readonly chomp: boolean;
  /** As written, tabs included. */
  readonly content: string;
}

export type HeredocWord = Omit<Heredoc, "content">;

const WORD = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]*)$/;
const NO_VARIABLES: ReadonlyMap<string, string> = new Map();

/** The heredoc that a word is, or null. @throws DockerfileError for quotes that do not close */
export function readHeredocWord(word: string): HeredocWord | null {
  const match = WORD.exec(word);
  const rest = match?.[3];
  if (!match || !rest) return null;
  const plain = new Lexer("\\", { keepUnset: true }).words(rest, NO_VARIABLES);
  const raw = new Lexer("\\", { keepUnset: true, rawQuotes: true }).words(rest, NO_VARIABLES);
  if (plain.length !== 1 || raw.length !== 1) return null;
  // A quote that was escaped is in both; one that quoted is in the raw word alone.
  return { name: plain[0]!, expand: quotesIn(plain[0]!) === quotesIn(raw[0]!), chomp: match[2] === "-" };
}

const quotesIn = (word: string): number => word.match(/['"]/g)?.length ?? 0;

/** As above; a word with open quotes is none. */
export function heredocWordOrNull(word: string): HeredocWord | null {
  try {
    return readHeredocWord(word);
  } catch {
    return null;
  }
}

/** Reads the bodies of all heredocs that a line names, in their order. @throws DockerfileError for one that does not end */
export function readHeredocs(line: string, lines: PhysicalLines, range: Range): Heredoc[] {
  if (!line.includes("<<")) return [];
  return heredocWords(line).map((word) => ({ ...word, content: readBody(word, lines, range) }));
}

function heredocWords(line: string): HeredocWord[] {
  const words = new Lexer("\\", { keepUnset: true, rawQuotes: true, rawEscapes: true }).wordsOrNone(line, NO_VARIABLES);
  return words.map(readHeredocWord).filter((word) => word !== null);
}

function readBody({ name, chomp }: HeredocWord, lines: PhysicalLines, range: Range): string {
  let content = "";
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const text = withoutLineEnd(line);
    if ((chomp ? text.replace(/^\t+/, "") : text) === name) return content;
    content += line;
  }
  throw new DockerfileError("unterminated heredoc", { start: range.start, end: { line: lines.number, column: 1 } });
}

/** A body without the tabs at the start of its lines. */
export const withoutTabs = (content: string): string => content.replace(/^\t+/gm, "");
