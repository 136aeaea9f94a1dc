import { describe, expect, it } from "vitest";
import { DockerfileError } from "../source/failure.ts";
import { Lexer } from "./lexer.ts";

const VARIABLES = new Map([
  ["PWD", "/home"],
  ["SHELL", "bash"],
  ["KOREAN", "한국어"],
  ["NULL", ""],
  ["FILE", "/a/b.tar.gz"],
  ["STARS", "a*b?c"],
  ["LIST", "one two  three"],
]);

/** [word, what comes out] */
const EXPANDED: readonly (readonly [string, string])[] = [
  ["hello", "hello"],
  ["he'll'o", "hello"],
  ["he'llo'", "hello"],
  ["he\\'llo", "he'llo"],
  ["he\\\\'llo'", "he\\llo"],
  ["abc\\tdef", "abctdef"],
  ['"abc\\tdef"', "abc\\tdef"],
  ["'abc\\tdef'", "abc\\tdef"],
  ["hello\\", "hello"],
  ["hello\\\\", "hello\\"],
  ['"hello"', "hello"],
  ['"hel\\"lo"', 'hel"lo'],
  ['"hel\\\'lo"', "hel\\'lo"],
  ['"hel\\\\lo"', "hel\\lo"],
  ["$PWD", "/home"],
  ["hello$PWD", "hello/home"],
  ["hello\\$PWD", "hello$PWD"],
  ["'hello$PWD'", "hello$PWD"],
  ["\"'hello $PWD'\"", "'hello /home'"],
  ["'\"hello $PWD\"'", '"hello $PWD"'],
  ["hello${PWD}x", "hello/homex"],
  ["hello$PWDx", "hello"],
  ["${PWD}${SHELL}", "/homebash"],
  ["안녕하세요$KOREAN", "안녕하세요한국어"],
  ["안녕${KOREAN}", "안녕한국어"],
  ["$", "$"],
  ["$.", "$."],
  ["a$ b", "a$ b"],
  ["$1", ""],
  ["$999aaa", "aaa"],
  ["${1}", ""],
  ["$@", ""],
  ["${@}x", "x"],
  ["$$", ""],
  ["$*y", "y"],
  ["$NOBODY", ""],
  ["${NOBODY}", ""],
  ["x${NOBODY:-}y", "xy"],
  ["${NOBODY:-bb}", "bb"],
  ["${NOBODY-bb}", "bb"],
  ["${NULL:-bb}", "bb"],
  ["${NULL-bb}", ""],
  ["${PWD:-bb}", "/home"],
  ["${PWD-bb}", "/home"],
  ["${NOBODY:+bb}", ""],
  ["${NOBODY+bb}", ""],
  ["${NULL:+bb}", ""],
  ["${NULL+bb}", "bb"],
  ["${PWD:+bb}", "bb"],
  ["${PWD+bb}", "bb"],
  ["${PWD:?no}", "/home"],
  ["${PWD?no}", "/home"],
  ["${NULL?no}", ""],
  ["${NOBODY:-${PWD}}", "/home"],
  ["${NOBODY:-${ALSO:-x$SHELL}}", "xbash"],
  ["${NOBODY:-'a b'}", "a b"],
  ['${NOBODY:-"$SHELL"}', "bash"],
  ["${NOBODY:-a\\}b}", "a}b"],
  ["${PWD:+${SHELL:+both}}", "both"],
  ["he${PWD:-x}llo", "he/homello"],
  ["${FILE#/}", "a/b.tar.gz"],
  ["${FILE#*/}", "a/b.tar.gz"],
  ["${FILE##*/}", "b.tar.gz"],
  ["${FILE%.*}", "/a/b.tar"],
  ["${FILE%%.*}", "/a/b"],
  ["${FILE%.gz}", "/a/b.tar"],
  ["${FILE%x}", "/a/b.tar.gz"],
  ["${FILE#?}", "a/b.tar.gz"],
  ["${FILE#}", "/a/b.tar.gz"],
  ["${FILE%%}", "/a/b.tar.gz"],
  ["${STARS#a\\*}", "b?c"],
  ["${STARS%\\?c}", "a*b"],
  ["${STARS%%\\**}", "a"],
  ["${NOBODY#x}", ""],
  ["${FILE/a/X}", "/X/b.tar.gz"],
  ["${FILE/./-}", "/a/b-tar.gz"],
  ["${FILE//./-}", "/a/b-tar-gz"],
  ["${FILE//\\//_}", "_a_b.tar.gz"],
  ["${FILE/\\/a/}", "/b.tar.gz"],
  ["${FILE/?a/X}", "X/b.tar.gz"],
  ["${FILE/*./X}", "Xgz"],
  ["${FILE//x/y}", "/a/b.tar.gz"],
  ["${FILE/$NOBODY/ww}", "ww/a/b.tar.gz"],
  ["${SHELL/b/$PWD}", "/homeash"],
  ["${FILE///}", "/a/b.tar.gz"],
  ["<<EOF", "<<EOF"],
  ["a<b", "a<b"],
];

/** [word, part of what is said] */
const REFUSED: readonly (readonly [string, string])[] = [
  ["'hello", "matching single-quote"],
  ['"hello', "matching double-quote"],
  ["${", "missing '}'"],
  ["${}", "bad substitution"],
  ["${:x}", "bad substitution"],
  ["${{a}", "bad substitution"],
  ["${PWD", "unsupported modifier"],
  ["${PWD=x}", "unsupported modifier (=)"],
  ["${PWD:=x}", "unsupported modifier (:=)"],
  ["${NOBODY:=x}", "unsupported modifier (:=)"],
  ["${PWD:-x", "missing '}'"],
  ["${PWD#x", "missing '}'"],
  ["${PWD//x}", "missing '/' in ${}"],
  ["${PWD/x/y", "missing '}'"],
  ["${NOBODY:?}", "NOBODY: is not allowed to be unset"],
  ["${NOBODY?}", "NOBODY: is not allowed to be unset"],
  ["${NULL:?}", "NULL: is not allowed to be empty"],
  ["${NOBODY:?say $SHELL}", "NOBODY: say bash"],
  ["${PWD#\\x}", "invalid escape '\\x'"],
  ["${PWD.x}", "unsupported modifier (.)"],
];

/** [word, the words that it makes] */
const WORDS: readonly (readonly [string, readonly string[]])[] = [
  ["hello", ["hello"]],
  ["hello bye", ["hello", "bye"]],
  ["  hello \t bye  ", ["hello", "bye"]],
  ["'hello  bye'", ["hello  bye"]],
  ['"hello bye" x', ["hello bye", "x"]],
  ["hello\\ bye", ["hello bye"]],
  ["$LIST", ["one", "two", "three"]],
  ["a${LIST}b", ["aone", "two", "threeb"]],
  ['"$LIST"', ["one two  three"]],
  ["$NULL", []],
  ["''", []],
  ["", []],
  ["80 $NOBODY 443", ["80", "443"]],
];

describe("expansion of words", () => {
  const lexer = new Lexer("\\");
  it.each(EXPANDED)("%s is %s", (word, expected) => expect(lexer.expand(word, VARIABLES).text).toBe(expected));
  it.each(WORDS)("%s is the words %j", (word, expected) => expect(lexer.words(word, VARIABLES)).toEqual(expected));

  it.each(REFUSED)("%s is refused: %s", (word, expected) => {
    const expand = () => lexer.expand(word, VARIABLES);
    expect(expand).toThrow(DockerfileError);
    expect(expand).toThrow(expected);
    expect(expand).toThrow(/^failed to process "/);
  });

  it("tells the variables that were there from those that were not", () => {
    const { found, missing } = lexer.expand("$PWD ${NULL:-x} ${A:-$B} $C", VARIABLES);
    expect([...found]).toEqual(["PWD", "NULL"]);
    expect([...missing]).toEqual(["B", "A", "C"]);
  });

  it.each([
    ["a`$PWD", "a$PWD"],
    ["a\\$PWD", "a\\/home"],
    ["C:\\x\\y", "C:\\x\\y"],
    ["'a`b'", "a`b"],
  ])("with ` as escape character %s is %s", (word, expected) => {
    expect(new Lexer("`").expand(word, VARIABLES).text).toBe(expected);
  });

  it.each([
    ["'$PWD'", "'/home'"],
    ['say "$SHELL"', 'say "bash"'],
    ["\\$PWD", "$PWD"],
    ["it's", "it's"],
  ])("where quotes are plain characters %s is %s", (word, expected) => {
    expect(new Lexer("\\", { plainQuotes: true }).expand(word, VARIABLES).text).toBe(expected);
  });

  it.each([
    ["$NOBODY ${NOBODY} ${NOBODY:-x} $PWD", "$NOBODY ${NOBODY} ${NOBODY:-x} /home"],
    ["'a' \"b\"", "'a' \"b\""],
  ])("where the unset and quotes stay %s is %s", (word, expected) => {
    expect(new Lexer("\\", { keepUnset: true, rawQuotes: true }).expand(word, VARIABLES).text).toBe(expected);
  });
});
