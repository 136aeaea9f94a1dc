import { Directives, type Escape } from "../lines/directives.ts";
import { type LogicalLine, nextLogicalLine } from "../lines/logical.ts";
import { PhysicalLines } from "../lines/physical.ts";
import { DockerfileError, within } from "../source/failure.ts";
import type { Position, Range } from "../source/position.ts";
import { READERS } from "./arguments.ts";
import { readHeredocs } from "./heredoc.ts";
import { asKeyword } from "./keyword.ts";
import type { Node, NodeFile } from "./node.ts";
import { splitCommand } from "./split-command.ts";

/** Cuts a Dockerfile into nodes. @throws DockerfileError where it is none */
export function parseNodes(source: string): NodeFile {
  const lines = new PhysicalLines(source);
  const directives = new Directives();
  const nodes: Node[] = [];
  const emptyContinuations: Range[] = [];
  for (let line = nextLogicalLine(lines, directives); line; line = nextLogicalLine(lines, directives)) {
    nodes.push(nodeOf(line, lines, directives.escape));
    if (line.emptyContinuation) {
      const { end } = line.range;
      emptyContinuations.push({ start: { line: end.line, column: 1 }, end });
    }
  }
  if (nodes.length === 0) {
    const end = { line: Math.max(1, lines.number), column: 1 };
    throw new DockerfileError("file with no instructions", { start: end, end });
  }
  return { nodes, directives: directives.found, escape: directives.escape, emptyContinuations };
}

function nodeOf(line: LogicalLine, lines: PhysicalLines, token: Escape): Node {
  const node = within(line.range, () => cut(line.text, token, line.range, (offset) => line.at(offset), line.comments));
  if (!mayHaveHeredoc(node)) return node;
  const heredocs = within(line.range, () => readHeredocs(line.text, lines, line.range));
  if (heredocs.length === 0) return node;
  const range = { start: line.range.start, end: { line: lines.number, column: heredocs.at(-1)!.name.length + 1 } };
  return { ...node, heredocs, range };
}

function cut(
  text: string,
  token: Escape,
  range: Range,
  at: (offset: number) => Position,
  comments: readonly string[],
): Node {
  const { word, flags, rest, offset } = splitCommand(text);
  const keyword = asKeyword(word);
  const common = {
    word,
    flags: flags.map((flag) => ({ text: flag.text, range: { start: at(flag.from), end: at(flag.to) } })),
    heredocs: [],
    original: text,
    comments,
    range,
    wordRange: { start: at(offset), end: at(offset + word.length) },
  };
  if (keyword === "onbuild") {
    const child = rest === "" ? null : cut(rest, token, range, (inner) => at(text.lastIndexOf(rest) + inner), []);
    return { ...common, words: child ? [child.word, ...child.words] : [], json: false, child };
  }
  // What an unknown keyword has is never looked at: that it is unknown is said once all before it is read.
  const read = keyword === undefined ? { words: [], json: false } : READERS[keyword](rest, token);
  return { ...common, ...read, child: null };
}

function mayHaveHeredoc(node: Node): boolean {
  const holder = node.child ?? node;
  return ["add", "copy", "run"].includes(holder.word.toLowerCase()) && !holder.json;
}
