import { describe, expect, it } from "vitest";
import { Glob, hasWildcards, withoutEscapes } from "./glob.ts";

/** Go's own table for filepath.Match. */
const MATCHES: readonly (readonly [string, string, boolean])[] = [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "a", true],
  ["a*", "abc", true],
  ["a*", "ab/c", false],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/fff", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^b-d]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a[^a]b", "a☺b", true],
  ["a???b", "a☺b", false],
  ["[a-ζ]*", "α", true],
  ["*[a-ζ]", "A", false],
  ["a?b", "a/b", false],
  ["a*b", "a/b", false],
  ["[\\]a]", "]", true],
  ["[\\-]", "-", true],
  ["[x\\-]", "x", true],
  ["[x\\-]", "-", true],
  ["[x\\-]", "z", false],
  ["[\\-x]", "x", true],
  ["[\\-x]", "-", true],
  ["[\\-x]", "a", false],
  ["[!a]", "a", true],
  ["[!-~]&[#,@]", "b&#", true],
  ["*x", "xxx", true],
  ["[[]x", "[x", true],
  ["f*.go", "f1.go", true],
  [".*", ".hidden", true],
  ["*", ".hidden", true],
  ["a.c", "abc", false],
  ["a+(b)", "a+(b)", true],
  ["{a,b}", "a", false],
  ["{a,b}", "{a,b}", true],
  ["!a", "!a", true],
];

describe("wildcards of COPY", () => {
  it.each(MATCHES)("%s and %s: %s", (pattern, path, matches) => expect(new Glob(pattern).matches(path)).toBe(matches));

  it.each(["[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "a[", "ab[", "a[b\\"])(
    "%s is no pattern",
    (pattern) => expect(() => new Glob(pattern)).toThrow("syntax error in pattern"),
  );

  it.each([
    ["a/b", false],
    ["a*", true],
    ["a?", true],
    ["[a]", true],
    ["a\\*", false],
    ["a\\[b", false],
    ["\\**", true],
  ])("%s looks for matches: %s", (pattern, looks) => expect(hasWildcards(pattern)).toBe(looks));

  it("an escaped wildcard stands for itself", () => expect(withoutEscapes("a\\*b\\\\c")).toBe("a*b\\c"));
});
