/** How Go reads and prints text, where a Dockerfile or an image shows it. */

/** unicode.IsSpace: JavaScript's \s has U+FEFF too and lacks U+0085. */
const SPACE = "\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const ONE_SPACE = new RegExp(`^[${SPACE}]$`);
const LEADING = new RegExp(`^[${SPACE}]+`);
const TRAILING = new RegExp(`[${SPACE}]+$`);

export const isSpace = (character: string): boolean => ONE_SPACE.test(character);
export const trimStart = (text: string): string => text.replace(LEADING, "");
export const trimSpace = (text: string): string => trimStart(text).replace(TRAILING, "");

const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** `%q` of a string (strconv.Quote). */
export const quote = (text: string): string => `"${[...text].map((character) => escaped(character, '"')).join("")}"`;

/** `%q` of a list: `["a" "b"]`. */
export const quoteList = (texts: readonly string[]): string => `[${texts.map(quote).join(" ")}]`;

/** `%q` of a number: the character with that code, as a Go literal. */
export const quoteCode = (code: number): string => `'${escaped(String.fromCodePoint(code), "'")}'`;

/** `%v` of a list: `[a b]`. */
export const plainList = (texts: readonly string[]): string => `[${texts.join(" ")}]`;

function escaped(character: string, delimiter: string): string {
  if (character === delimiter) return `\\${character}`;
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  // strconv.IsPrint: letters, marks, numbers, punctuation, symbols, and the plain space.
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character;
  const code = character.codePointAt(0)!;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");
