import { describe, expect, it } from "vitest";
import { shapeOf } from "../../testing/node-shapes.ts";
import { parseNodes } from "../nodes/parse.ts";

const nodesOf = (source: string) => parseNodes(source).nodes;

/** [what it shows, Dockerfile, its nodes] */
const LINES: readonly (readonly [string, string, string])[] = [
  ["a keyword keeps its case", "from x\nRun y", "from[x]; Run[y]"],
  ["blanks around and between", "  FROM \t x  \n", "FROM[x]"],
  ["Windows line ends", "FROM x\r\nRUN a \\\r\n b\r\n", "FROM[x]; RUN[a  b]"],
  ["a byte order mark", "\uFEFFFROM x", "FROM[x]"],
  ["comments and blank lines between", "# a\n\nFROM x\n  # b\nRUN y", "FROM[x]; RUN[y]"],
  ["a # within a line is no comment", "FROM x\nRUN a # b", "FROM[x]; RUN[a # b]"],
  ["a continuation keeps the next line's blanks", "FROM x\nRUN a \\\n  b", "FROM[x]; RUN[a   b]"],
  ["a continuation without a blank joins words", "FROM x\nRUN a\\\nb", "FROM[x]; RUN[ab]"],
  ["blanks after the escape character", "FROM x\nRUN a \\ \t\nb", "FROM[x]; RUN[a b]"],
  ["two escape characters do not continue", "FROM x\nRUN a \\\\\nUSER b", "FROM[x]; RUN[a \\\\]; USER[b]"],
  ["a comment between continuations", "FROM x\nRUN a \\\n# c\n  # d\nb", "FROM[x]; RUN[a b]"],
  ["a blank line between continuations", "FROM x\nRUN a \\\n\n  \nb", "FROM[x]; RUN[a b]"],
  ["a comment after which nothing comes", "FROM x\nRUN a \\\n# c", "FROM[x]; RUN[a]"],
  ["a continuation at the end of the file", "FROM x\nRUN a \\", "FROM[x]; RUN[a]"],
  ["an escape character alone on a line", "FROM x\nRUN a \\\n\\\nb", "FROM[x]; RUN[a b]"],
  ["a line that begins with the escape character", "\\\nFROM x", "FROM[x]"],
  ["the keyword itself goes on", "FR\\\nOM x", "FROM[x]"],
  ["` as escape character", "# escape=`\nFROM x\nRUN a `\nb\nCOPY C:\\ \\d", "FROM[x]; RUN[a b]; COPY[C:\\][\\d]"],
  ["a directive in any case and spacing", "#  EsCaPe = `\nFROM x\nRUN a `\nb", "FROM[x]; RUN[a b]"],
  [
    "a directive after a comment is a comment",
    "# c\n# escape=`\nFROM x\nRUN a `\nUSER b",
    "FROM[x]; RUN[a `]; USER[b]",
  ],
  [
    "a directive after a blank line is a comment",
    "\n# escape=`\nFROM x\nRUN a `\nUSER b",
    "FROM[x]; RUN[a `]; USER[b]",
  ],
  ["an unknown directive ends them", "# x=y\n# escape=`\nFROM x\nRUN a `\nUSER b", "FROM[x]; RUN[a `]; USER[b]"],
  [
    "directives one after the other",
    "# syntax=docker/dockerfile:1\n# escape=`\nFROM x\nRUN a `\nb",
    "FROM[x]; RUN[a b]",
  ],
];

describe("lines of a Dockerfile", () => {
  it.each(LINES)("%s", (_, source, nodes) => expect(shapeOf(source)).toBe(nodes));

  it("the longest line is read", () => expect(nodesOf(`FROM x\nRUN ${"a".repeat(65_531)}\n`)).toHaveLength(2));

  it("knows where everything stands, across continuations", () => {
    const [, node] = nodesOf("FROM x\n  COPY a \\\n\n--not \\\n  b /c");
    expect(node!.range).toEqual({ start: { line: 2, column: 3 }, end: { line: 5, column: 7 } });
    expect(node!.wordRange).toEqual({ start: { line: 2, column: 3 }, end: { line: 2, column: 7 } });
    const [, run] = nodesOf("FROM x\nRUN --mount=a \\\n  --mount=b c");
    expect(run!.flags.map(({ range }) => range)).toEqual([
      { start: { line: 2, column: 5 }, end: { line: 2, column: 14 } },
      { start: { line: 3, column: 3 }, end: { line: 3, column: 12 } },
    ]);
  });

  it("keeps the comments right above", () => {
    const source = "# syntax=x\n# away\n\n# one\n#  two \nFROM x\nRUN y\n# z\n#\nUSER q";
    expect(nodesOf(source).map(({ comments }) => comments)).toEqual([["one", "two"], [], []]);
  });

  it("says where blank lines stood between continuations", () => {
    const { emptyContinuations } = parseNodes("FROM x\nCOPY a \\\n\n.\nCOPY b \\\n.\n");
    expect(emptyContinuations.map(({ start }) => start.line)).toEqual([4]);
  });

  it("reads no directive below the first instruction", () => {
    expect(
      parseNodes("# syntax=a\n# check=skip=all\nFROM x\n# escape=`").directives.map(({ name, value }) => [name, value]),
    ).toEqual([
      ["syntax", "a"],
      ["check", "skip=all"],
    ]);
  });
});
