import { describe, expect, it } from "vitest";
import { heredocWordOrNull, readHeredocWord, withoutTabs } from "./heredoc.ts";
import { parseNodes } from "./parse.ts";

const heredocsOf = (instruction: string) =>
  parseNodes(`FROM x\n${instruction}`).nodes[1]!.heredocs.map(({ name, content }) => [name, content]);

describe("the word of a heredoc", () => {
  it.each([
    ["<<EOF", "EOF", true, false],
    ["<<-EOF", "EOF", true, true],
    ["3<<EOF", "EOF", true, false],
    ["<<'EOF'", "EOF", false, false],
    ['<<"EOF"', "EOF", false, false],
    ["<<-'EOF'", "EOF", false, true],
    ["<<E'O'F", "EOF", false, false],
    ["<<eo\\'f", "eo'f", true, false],
    ["<<'e'o\\'f", "eo'f", false, false],
    ["<<'one two'", "one two", false, false],
    ["<<$EOF", "$EOF", true, false],
    ["<< EOF", "EOF", true, false],
    ["<<-  EOF", "EOF", true, true],
    ["<<EOF.txt", "EOF.txt", true, false],
  ])("%s ends at %s, is expanded: %s, loses its tabs: %s", (word, name, expand, chomp) => {
    expect(readHeredocWord(word)).toEqual({ name, expand, chomp });
  });

  it.each(["", "EOF", "<<", "<<-", "<EOF", "<<<EOF", "<<one two", "a<<EOF", "'<<EOF'", "<<a<b"])(
    "%s is none",
    (word) => {
      expect(readHeredocWord(word)).toBeNull();
    },
  );

  it.each(["<<'EOF", '<<"EOF', "<<EOF'", '<<EOF"'])("%s has an open quote", (word) => {
    expect(() => readHeredocWord(word)).toThrow("failed to process");
    expect(heredocWordOrNull(word)).toBeNull();
  });
});

describe("heredocs", () => {
  it.each([
    ["an empty one", "RUN <<EOF\nEOF", [["EOF", ""]]],
    ["one with lines", "RUN <<EOF\na\n\nb\nEOF", [["EOF", "a\n\nb\n"]]],
    ["comments and continuations are part of it", "RUN <<EOF\n# c\na \\\nb\nEOF", [["EOF", "# c\na \\\nb\n"]]],
    ["tabs stay in what is kept", "RUN <<-EOF\n\ta\n\tEOF", [["EOF", "\ta\n"]]],
    ["without - an indented end is no end", "RUN <<EOF\n\tEOF\nEOF", [["EOF", "\tEOF\n"]]],
    ["blanks before the end are not tabs", "RUN <<-EOF\n EOF\nEOF", [["EOF", " EOF\n"]]],
    [
      "two, in their order",
      "COPY <<X <<Y /d\nY\nX\nX\nY",
      [
        ["X", "Y\n"],
        ["Y", "X\n"],
      ],
    ],
    ["after flags", "RUN --mount=type=cache,target=/x <<EOF\na\nEOF", [["EOF", "a\n"]]],
    [
      "in a longer command",
      "RUN cat <<EOF >/x && echo <<-B\n1\nEOF\n\t2\nB",
      [
        ["EOF", "1\n"],
        ["B", "\t2\n"],
      ],
    ],
    ["with a blank after <<", "RUN cat << EOF\n1\nEOF", [["EOF", "1\n"]]],
    ["the line itself goes on", "RUN cat \\\n<<EOF\n1\nEOF", [["EOF", "1\n"]]],
    ["in ONBUILD", "ONBUILD RUN <<EOF\na\nEOF", [["EOF", "a\n"]]],
    ["Windows line ends", "RUN <<EOF\r\na\r\nEOF\r\n", [["EOF", "a\r\n"]]],
    ["quoted: none", 'RUN "<<EOF"', []],
    ["in JSON: none", 'RUN ["<<EOF"]', []],
    ["in USER: none", "USER <<EOF", []],
    ["after an open quote: none", "RUN it's <<EOF", []],
    ["shift in arithmetic without a word: none", "RUN echo $((1<<2<<3))", []],
  ])("%s", (_, instruction, expected) => expect(heredocsOf(instruction)).toEqual(expected));

  it("the instruction ends where the last of them does", () => {
    const { nodes } = parseNodes("FROM x\nRUN <<EOF\na\nEOF\nUSER y");
    expect(nodes[1]!.range).toEqual({ start: { line: 2, column: 1 }, end: { line: 4, column: 4 } });
    expect(nodes[2]!.range.start.line).toBe(5);
  });

  it("tabs at the start of lines go, others stay", () =>
    expect(withoutTabs("\t\ta\tb\n \tc\n\td\n")).toBe("a\tb\n \tc\nd\n"));
});
