import { DockerfileError } from "../source/failure.ts";

/**
 * The patterns of `${x#p}`, `${x%p}`, `${x/p/r}`: `?` is one character, `*` any number of them; there are no brackets
 * (POSIX.1-2017, shell, 2.13.1, without the bracket expression).
 */
export type Greed = "shortest" | "longest";

/** `${x#p}`, `${x##p}` */
export function withoutPrefix(pattern: string, value: string, greed: Greed): string {
  const match = expressionOf(pattern, greed, "^").exec(value);
  return match ? value.slice(match[0].length) : value;
}

/** `${x%p}`, `${x%%p}`: the pattern read backwards, since an expression looks for the shortest from the left only. */
export function withoutSuffix(pattern: string, value: string, greed: Greed): string {
  return reversed(withoutPrefix(reversedPattern(pattern), reversed(value), greed));
}

/** `${x/p/r}`, `${x//p/r}` */
export function replaced(pattern: string, value: string, replacement: string, all: boolean): string {
  const expression = expressionOf(pattern, "longest", "");
  if (!all) return value.replace(expression, () => replacement);
  return value.replace(new RegExp(expression, "gu"), (match) => goTemplate(replacement, match));
}

/** Go's ReplaceAllString reads `$0`, `${0}` and `$$` in the replacement; other names stand for nothing. */
const goTemplate = (template: string, match: string): string =>
  template.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar, name, braced) =>
    dollar ? "$" : (name ?? braced) === "0" ? match : "",
  );

function expressionOf(pattern: string, greed: Greed, anchor: "" | "^"): RegExp {
  const star = greed === "longest" ? "[^\\n]*" : "[^\\n]*?";
  const characters = [...pattern];
  let expression = anchor;
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at]!;
    if (character === "*") expression += star;
    else if (character === "?") expression += "[^\\n]";
    else {
      if (character === "\\") {
        const next = characters[at + 1];
        // Only so that it did not end the pattern: the escape is no part of it.
        if (next === "}" || next === "/") continue;
        if (next !== "*" && next !== "?" && next !== "\\") throw invalidEscape(pattern, next);
        character = next;
        at++;
      }
      expression += character.replace(/[[\]{}.+()|^$*?\\/]/, "\\$&");
    }
  }
  return new RegExp(expression, "u");
}

/** Go prints the end of a text, where a character was wanted, as U+FFFD. */
const invalidEscape = (pattern: string, character = "\ufffd") =>
  new DockerfileError(`invalid pattern (${pattern}) in substitution: invalid escape '\\${character}'`);

const reversed = (text: string): string => [...text].reverse().join("");

/** Backwards, an escape staying before what it escapes. */
function reversedPattern(pattern: string): string {
  const parts = pattern.match(/\\.|./gsu) ?? [];
  return parts.reverse().join("");
}
