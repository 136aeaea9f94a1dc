import { DockerfileError } from "../source/failure.ts";
import { badPattern, characterSet, Glob, literal } from "./glob.ts";

/** One line of a `.dockerignore` (moby/patternmatcher). */
export interface IgnorePattern {
  readonly text: string;
  /** `!pattern`: what it matches is not left out after all. */
  readonly exclusion: boolean;
  readonly matches: (path: string) => boolean;
}

/** @throws DockerfileError for what filepath.Match would refuse; the pattern is clean and without `!` */
export function ignorePattern(text: string, exclusion: boolean): IgnorePattern {
  // Tells good patterns from bad ones, with all oddities.
  new Glob(text);
  return { text, exclusion, matches: matcherOf(text) };
}

/**
 * `**` is any number of folders, none too, and more: it crosses slashes within a name as well (`a**b` matches `a/x/b`). A pattern that
 * only begins or ends with `**` is compared by its end or its beginning, which is not quite the same: `**x` matches `yx`.
 */
function matcherOf(pattern: string): (path: string) => boolean {
  let expression = "";
  let kind: "exact" | "prefix" | "suffix" | "expression" = "exact";
  const characters = [...pattern];
  for (let at = 0, token = 0; at < characters.length; token++) {
    const character = characters[at++]!;
    if (character === "*" && characters[at] === "*") {
      at++;
      if (characters[at] === "/") at++;
      if (at < characters.length) {
        expression += "(.*/)?";
        kind = "expression";
      } else if (kind === "exact") kind = "prefix";
      else {
        expression += ".*";
        kind = "expression";
      }
      if (token === 0) kind = "suffix";
    } else if (character === "*" || character === "?") {
      expression += character === "*" ? "[^/]*" : "[^/]";
      kind = "expression";
    } else if (character === "\\" && at < characters.length) {
      expression += escaped(characters[at++]!, pattern);
      kind = "expression";
    } else if (character === "[") {
      const [set, end] = characterSet(characters, at, pattern);
      expression += set;
      at = end;
      kind = "expression";
    } else expression += literal(character);
  }
  switch (kind) {
    case "exact":
      return (path) => path === pattern;
    case "prefix":
      return (path) => path.startsWith(pattern.slice(0, -2));
    case "suffix": {
      const suffix = pattern.slice(2);
      return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
    }
    case "expression": {
      const whole = new RegExp(`^${expression}$`, "u");
      return (path) => whole.test(path);
    }
  }
}

/** Go hands escapes on to its expressions, where those of letters and digits stand for something else or are wrong (regexp/syntax). */
function escaped(character: string, pattern: string): string {
  if (!/[0-9A-Za-z]/.test(character)) return literal(character);
  if (character === "a") return "\\x07";
  if (!/[bBdDfnrsStvwW]/.test(character)) throw badPattern(pattern);
  return `\\${character}`;
}

export const illegalExclusion = () => new DockerfileError('illegal exclusion pattern: "!"');
