import { DockerfileError } from "../source/failure.ts";

/** Go's filepath.Match, which COPY's wildcards are: `*` and `?` stop at slashes, `[a-z]`, `[^a]`, `\` takes the next as it is. */
export class Glob {
  readonly #expression: RegExp;

  /** @throws DockerfileError for a pattern that is none, whatever it is matched with */
  constructor(pattern: string) {
    let expression = "";
    const characters = [...pattern];
    for (let at = 0; at < characters.length; ) {
      const character = characters[at++]!;
      if (character === "*") expression += "[^/]*";
      else if (character === "?") expression += "[^/]";
      else if (character === "[") {
        const [set, end] = characterSet(characters, at, pattern);
        expression += set;
        at = end;
      } else if (character !== "\\") expression += literal(character);
      else if (at === characters.length) throw badPattern(pattern);
      else expression += literal(characters[at++]!);
    }
    this.#expression = new RegExp(`^(?:${expression})$`, "su");
  }

  matches(path: string): boolean {
    return this.#expression.test(path);
  }
}

/** Whether COPY looks for matches at all: a wildcard that is escaped is none. */
export function hasWildcards(pattern: string): boolean {
  return /[*?[]/.test(pattern.replace(/\\./gsu, ""));
}

/** A pattern without wildcards, as the path it stands for. */
export const withoutEscapes = (pattern: string): string => pattern.replace(/\\(.)/gsu, "$1");

export const literal = (character: string): string => character.replace(/[[\]{}()*+?.\\^$|/]/, "\\$&");
/** What an expression with `u` lets be escaped in a set. */
const inSet = (character: string): string => character.replace(/[[\]{}()*+?.\\^$|/-]/, "\\$&");
export const badPattern = (pattern: string) => new DockerfileError(`syntax error in pattern: ${pattern}`);

/** A set as an expression, read from after its `[` to after its `]`. @throws DockerfileError */
export function characterSet(
  characters: readonly string[],
  start: number,
  pattern: string,
): [set: string, end: number] {
  let at = start;
  const negated = characters[at] === "^";
  if (negated) at++;
  let ranges = "";
  for (let count = 0; ; count++) {
    if (characters[at] === "]" && count > 0) break;
    const [low, afterLow] = setMember(characters, at, pattern);
    at = afterLow;
    let high = low;
    if (characters[at] === "-") [high, at] = setMember(characters, at + 1, pattern);
    // A range that runs backwards matches nothing.
    if (low.codePointAt(0)! <= high.codePointAt(0)!) ranges += `${inSet(low)}-${inSet(high)}`;
  }
  const end = at + 1;
  // Unlike a shell's, a set may match a slash.
  if (ranges === "") return [negated ? "[^]" : "[]", end];
  return [`[${negated ? "^" : ""}${ranges}]`, end];
}

function setMember(characters: readonly string[], start: number, pattern: string): [member: string, end: number] {
  const character = characters[start];
  if (character === undefined || character === "-" || character === "]") throw badPattern(pattern);
  const member = character === "\\" ? characters[start + 1] : character;
  const end = start + (character === "\\" ? 2 : 1);
  // What ends here has no closing bracket.
  if (member === undefined || end >= characters.length) throw badPattern(pattern);
  return [member, end];
}
