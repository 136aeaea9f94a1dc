import { describe, expect, it } from "vitest";
import { shapeOf } from "../../testing/node-shapes.ts";
import type { DockerfileError } from "../source/failure.ts";
import { parseNodes } from "./parse.ts";

/** [what it shows, Dockerfile, its nodes] */
const FORMS: readonly (readonly [string, string, string])[] = [
  ["flags before the words", "FROM --platform=linux/amd64 x AS y", "FROM --platform=linux/amd64 [x][AS][y]"],
  ["quotes in a flag", "FROM x\nCOPY --chown=\"a b\" --from='c d' e f", "FROM[x]; COPY --chown=a b  --from=c d [e][f]"],
  ["an escaped blank in a flag", "FROM x\nCOPY --chown=a\\ b e f", "FROM[x]; COPY --chown=a b [e][f]"],
  ["-- ends flags", "FROM x\nRUN --mount=a -- --x", "FROM[x]; RUN --mount=a [--x]"],
  ["only leading words are flags", "FROM x\nRUN ls --all", "FROM[x]; RUN[ls --all]"],
  ["one dash is no flag", "FROM x\nRUN -x", "FROM[x]; RUN[-x]"],
  [
    "flags on lines of their own",
    "FROM x\nRUN --mount=a \\\n --mount=b \\\n make",
    "FROM[x]; RUN --mount=a  --mount=b [make]",
  ],
  ["the JSON form", 'FROM x\nRUN ["a", "b c"]', "FROM[x]; RUN json[a][b c]"],
  ["the JSON form with escapes", 'FROM x\nCMD ["\\u0041\\"", ""]', 'FROM[x]; CMD json[A"][]'],
  ["an empty JSON list", "FROM x\nCMD []", "FROM[x]; CMD json"],
  ["JSON over several lines", 'FROM x\nCMD [ \\\n "a", \\\n "b" ]', "FROM[x]; CMD json[a][b]"],
  ["single quotes are no JSON", "FROM x\nRUN ['a']", "FROM[x]; RUN[['a']]"],
  ["an open list is no JSON", 'FROM x\nRUN ["a"', 'FROM[x]; RUN[["a"]'],
  ["text after the list is no JSON", 'FROM x\nRUN ["a"] b', 'FROM[x]; RUN[["a"] b]'],
  ["a comma too many is no JSON", 'FROM x\nCOPY ["a", "b",] ', 'FROM[x]; COPY[["a",]["b",]]'],
  ["COPY in JSON may have blanks", 'FROM x\nCOPY ["a b", "c d"]', "FROM[x]; COPY json[a b][c d]"],
  ["COPY splits on blanks only", 'FROM x\nCOPY "a b" c', 'FROM[x]; COPY["a][b"][c]'],
  ["ENV in the old form", "FROM x\nENV A b  c ", "FROM[x]; ENV[A b  c]"],
  ["ENV in the old form with = later", "FROM x\nENV A b=c", "FROM[x]; ENV[A b=c]"],
  ["ENV with several", "FROM x\nENV A=b C='d e' F=\"g h\" I=j\\ k", "FROM[x]; ENV[A=b][C='d e'][F=\"g h\"][I=j\\ k]"],
  ["ENV with empty values", 'FROM x\nENV A= B=""', 'FROM[x]; ENV[A=][B=""]'],
  ["LABEL with a quoted name", 'FROM x\nLABEL "a b"=c', 'FROM[x]; LABEL["a b"=c]'],
  ["ENV over several lines", "FROM x\nENV A=b \\\n    C=d", "FROM[x]; ENV[A=b][C=d]"],
  ["ARG with several", "FROM x\nARG a b=1 c='d e'", "FROM[x]; ARG[a][b=1][c='d e']"],
  ["EXPOSE", "FROM x\nEXPOSE 80 443/tcp", "FROM[x]; EXPOSE[80][443/tcp]"],
  ["VOLUME", "FROM x\nVOLUME /a /b", "FROM[x]; VOLUME[/a][/b]"],
  ["WORKDIR is one word", "FROM x\nWORKDIR /a b", "FROM[x]; WORKDIR[/a b]"],
  ["HEALTHCHECK", "FROM x\nHEALTHCHECK --interval=5s CMD curl  x", "FROM[x]; HEALTHCHECK --interval=5s [CMD][curl  x]"],
  ["HEALTHCHECK in JSON", 'FROM x\nHEALTHCHECK CMD ["a","b"]', "FROM[x]; HEALTHCHECK json[CMD][a][b]"],
  ["HEALTHCHECK NONE", "FROM x\nHEALTHCHECK NONE", "FROM[x]; HEALTHCHECK[NONE]"],
  ["ONBUILD", "FROM x\nONBUILD RUN a b", "FROM[x]; ONBUILD[RUN][a b]"],
  ["an unknown keyword has no words yet", "FROM x\nFOO a b", "FROM[x]; FOO"],
  ["a keyword without anything", "FROM x\nRUN", "FROM[x]; RUN"],
];

/** [what is wrong, Dockerfile, what is said, line] */
const REFUSED: readonly (readonly [string, string, string, number])[] = [
  ["nothing", "", "file with no instructions", 1],
  ["only comments", "# a\n\n# b", "file with no instructions", 3],
  ["a list with a number in it", "FROM x\nCMD [1]", "arrays must be comprised of strings only", 2],
  ["a list with null in it", 'FROM x\nRUN ["a", null]', "arrays must be comprised of strings only", 2],
  ["ENV without a value", "FROM x\nENV A", "ENV must have two arguments", 2],
  ["LABEL without a value", "FROM x\nLABEL A", "LABEL must have two arguments", 2],
  ["a second pair without =", "FROM x\nENV A=b C", 'can\'t find = in "C". Must be of the form: name=value', 2],
  ["a directive given twice", "# escape=`\n# escape=\\\nFROM x", "only one escape parser directive can be used", 2],
  ["a bad escape character", "# escape=x\nFROM x", "invalid escape token 'x' does not match ` or \\", 1],
  ["two escape characters", "# escape=\\\\\nFROM x", "invalid escape token", 1],
  ["an open heredoc", "FROM x\nRUN <<EOF\na\n", "unterminated heredoc", 2],
  ["a line that is too long", `FROM x\nRUN ${"a".repeat(65_533)}`, "greater than max allowed size of 65535", 2],
];

describe("nodes", () => {
  it.each(FORMS)("%s", (_, source, nodes) => expect(shapeOf(source)).toBe(nodes));

  it.each(REFUSED)("%s is refused", (_, source, message, line) => {
    expect(() => parseNodes(source)).toThrow(message);
    try {
      parseNodes(source);
    } catch (error) {
      expect((error as DockerfileError).range?.start.line).toBe(line);
    }
  });
});
