import { isSpace, trimSpace, trimStart } from "../source/go-text.ts";
import type { Position, Range } from "../source/position.ts";
import type { Directives, Escape } from "./directives.ts";
import { type PhysicalLines, withoutLineEnd } from "./physical.ts";

/** An instruction as one line: continuations joined, comments and blank lines between them gone. */
export interface LogicalLine {
  readonly text: string;
  readonly range: Range;
  /** Where the character at an offset of `text` stands in the file. */
  at(offset: number): Position;
  /** The comments right above, without `#` and blanks. */
  readonly comments: readonly string[];
  /** A blank line stood between continuations: BuildKit warns of it. */
  readonly emptyContinuation: boolean;
}

interface Piece {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** The next instruction; null at the end of the file. @throws DockerfileError */
export function nextLogicalLine(lines: PhysicalLines, directives: Directives): LogicalLine | null {
  let comments: string[] = [];
  for (let raw = lines.next(); raw !== undefined; raw = lines.next()) {
    const line = withoutLineEnd(raw);
    const text = trimStart(line);
    const isDirective = directives.read(text, wholeLine(lines.number, line));
    if (text.startsWith("#")) {
      const comment = trimSpace(text.slice(1));
      if (comment === "") comments = [];
      else if (!isDirective) comments.push(comment);
      continue;
    }
    if (text === "") {
      comments = [];
      continue;
    }
    return joined(text, line.length - text.length + 1, comments, lines, directives.escape);
  }
  return null;
}

/** `first` and the lines that it goes on in. */
function joined(
  first: string,
  column: number,
  comments: readonly string[],
  lines: PhysicalLines,
  token: Escape,
): LogicalLine {
  const start = { line: lines.number, column };
  const pieces: Piece[] = [{ offset: 0, line: start.line, column }];
  let [text, goesOn] = withoutContinuation(first, token);
  let end: Position = { line: start.line, column: column + first.length };
  let emptyContinuation = false;
  while (goesOn) {
    const raw = lines.next();
    if (raw === undefined) break;
    const line = withoutLineEnd(raw);
    const content = trimStart(line);
    if (content.startsWith("#")) continue;
    if (content === "") {
      emptyContinuation = true;
      continue;
    }
    const [more, further] = withoutContinuation(line, token);
    pieces.push({ offset: text.length, line: lines.number, column: 1 });
    text += more;
    goesOn = further;
    end = { line: lines.number, column: line.length + 1 };
  }
  const at = (offset: number): Position => {
    const piece = pieces.findLast((candidate) => candidate.offset <= offset)!;
    return { line: piece.line, column: piece.column + offset - piece.offset };
  };
  // What follows the last character (comments, blanks after the token) is skipped, yet belongs to the instruction's lines.
  if (lines.number > end.line) end = { line: lines.number, column: 1 };
  return { text, range: { start, end }, at, comments, emptyContinuation };
}

/**
 * A line without the escape character that makes it go on, and whether it does: the last character but blanks, unless another escape
 * character stands before it.
 */
function withoutContinuation(line: string, token: Escape): [text: string, goesOn: boolean] {
  const end = line.replace(/[ \t]+$/, "");
  if (!end.endsWith(token)) return [line, false];
  if (end.length > 1 && end.at(-2) === token) return [line, false];
  return [end.slice(0, -1), true];
}

export function wholeLine(number: number, line: string): Range {
  let column = 1;
  while (column <= line.length && isSpace(line[column - 1]!)) column++;
  return { start: { line: number, column }, end: { line: number, column: line.length + 1 } };
}
