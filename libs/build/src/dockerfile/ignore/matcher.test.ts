import { describe, expect, it } from "vitest";
import { readIgnoreFile } from "./file.ts";
import { Ignore } from "./matcher.ts";

/** [pattern, path, whether it is left out], as moby/patternmatcher has it. */
const SINGLE: readonly (readonly [string, string, boolean])[] = [
  ["**", "file", true],
  ["**", "dir/file", true],
  ["**/", "file", true],
  ["**/", "dir/file", true],
  ["**/**", "dir/file", true],
  ["dir/**", "dir/file", true],
  ["dir/**", "dir/dir2/file", true],
  ["**/dir", "dir", true],
  ["**/dir", "dir/file", true],
  ["**/dir2/*", "dir/dir2/file", true],
  ["**/dir2/**", "dir/dir2/dir3/file", true],
  ["**file", "file", true],
  ["**file", "dir/file", true],
  ["**/file", "dir/file", true],
  ["**file", "dir/dir/file", true],
  ["**file", "dir/myfile", true],
  ["**/file", "dir/dir/file", true],
  ["**/file", "dir/myfile", false],
  ["**/file*", "dir/dir/file.txt", true],
  ["**/file*txt", "dir/dir/file.txt", true],
  ["**/file*.txt*", "dir/dir/file.txt", true],
  ["**/**/*.txt", "dir/dir/file.txt", true],
  ["**/**/*.txt2", "dir/dir/file.txt", false],
  ["**/*.txt", "file.txt", true],
  ["**/**/*.txt", "file.txt", true],
  ["a**/*.txt", "a/file.txt", true],
  ["a**/*.txt", "a/dir/file.txt", true],
  ["a**/*.txt", "a/dir/dir/file.txt", true],
  ["a/*.txt", "a/dir/file.txt", false],
  ["a/*.txt", "a/file.txt", true],
  ["a/*.txt**", "a/file.txt", true],
  ["a[b-d]e", "ae", false],
  ["a[b-d]e", "ace", true],
  ["a[b-d]e", "aae", false],
  ["a[^b-d]e", "aze", true],
  [".*", ".foo", true],
  [".*", "foo", false],
  ["abc.def", "abcdef", false],
  ["abc.def", "abc.def", true],
  ["abc.def", "abcZdef", false],
  ["abc?def", "abcZdef", true],
  ["abc?def", "abcdef", false],
  ["a\\\\", "a\\", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "axb", false],
  ["**/foo/bar", "foo/bar", true],
  ["**/foo/bar", "dir/dir2/foo/bar", true],
  ["abc/**", "abc", false],
  ["abc/**", "abc/def", true],
  ["abc/**", "abc/def/ghi", true],
  ["**/.foo", ".foo", true],
  ["**/.foo", "bar.foo", false],
  ["a(b)c/def", "a(b)c/def", true],
  ["a(b)c/def", "a(b)c/xyz", false],
  ["a.|)$(}+{bc", "a.|)$(}+{bc", true],
  [
    "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl",
    "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl",
    true,
  ],
  ["dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true],
  ["*/sub", "a/sub", true],
  ["*/sub", "a/b/sub", false],
  ["sub", "a/sub", false],
  ["docs/", "docs/a.md", true],
  ["./docs", "docs/a.md", true],
  ["a/../docs", "docs/a.md", true],
  ["../docs", "docs/a.md", false],
  [".", "file", false],
  ["*.go", ".", false],
  ["*", "a/b", true],
  ["*.GO", "x.go", false],
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
  ["[x\\-]", "z", false],
  ["[\\-x]", "-", true],
  ["*x", "xxx", true],
  ["a\\ b", "a b", true],
  ["v\\d", "v1", true],
  ["v\\d", "vd", false],
  ["v\\a", "va", false],
];

/** [patterns in their order, path, whether it is left out] */
const SEVERAL: readonly (readonly [readonly string[], string, boolean])[] = [
  [["!fileutils.go", "*.go"], "fileutils.go", true],
  [["*.go", "!fileutils.go"], "fileutils.go", false],
  [["docs", "!docs/README.md"], "docs/README.md", false],
  [["docs", "!docs/README.md"], "docs/other.md", true],
  [["docs/", "!docs/README.md"], "docs/README.md", false],
  [["docs/*", "!docs/README.md"], "docs/README.md", false],
  [["*", "!docs"], "docs/deep/below.md", false],
  [["*", "!docs"], "other", true],
  [["docs/sub", "!docs/sub/*"], "docs/sub/a", false],
  [["docs/sub", "!docs/sub/*"], "docs/sub", true],
  [["**", "!**/y.md"], "docs/sub/y.md", false],
  [["**", "!**/y.md"], "docs/sub/z.md", true],
  [["**", "!util/docker/web"], "util/docker/web/foo", false],
  [["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", true],
  [["**", "!dist/*.whl"], "dist/proxy.py-2.4+g08.whl", false],
  [["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true],
  [["*.md", "!README*.md", "README-secret.md"], "README-public.md", false],
  [["*.md", "README-secret.md", "!README*.md"], "README-secret.md", false],
  [["  docs", " !docs/a "], "docs/a", false],
  [["", "docs", ""], "docs", true],
  [[], "anything", false],
];

describe("what is left out of a context", () => {
  it.each(SINGLE)("%s and %s: %s", (pattern, path, out) => expect(new Ignore([pattern]).ignores(path)).toBe(out));
  it.each(SEVERAL)("%j and %s: %s", (patterns, path, out) => expect(new Ignore(patterns).ignores(path)).toBe(out));

  it.each([
    ["!"],
    ["["],
    ["[]a]"],
    ["[-]"],
    ["[x-]"],
    ["[-x]"],
    ["\\"],
    ["[a-b-c]"],
    ["[^"],
    ["[^bc"],
    ["a["],
    ["![x"],
    ["build\\out"],
  ])("the pattern %s is refused", (pattern) =>
    expect(() => new Ignore([pattern])).toThrow(/illegal exclusion pattern|syntax error in pattern/),
  );

  it("a folder need not be looked into unless a later line takes something back", () => {
    expect(new Ignore(["node_modules"]).ignoresAllIn("node_modules")).toBe(true);
    expect(new Ignore(["node_modules", "!**/keep"]).ignoresAllIn("node_modules")).toBe(false);
    expect(new Ignore(["node_modules"]).ignoresAllIn("src")).toBe(false);
  });
});

describe(".dockerignore", () => {
  const read = (text: string) =>
    readIgnoreFile(text).patterns.map(({ text: is, exclusion }) => (exclusion ? "!" : "") + is);

  it.each([
    ["a comment at the beginning of a line", "#a\nb", ["b"]],
    ["a # after a blank is a pattern", " #a", ["#a"]],
    ["blank lines", "\n \n\t\na\n", ["a"]],
    ["a byte order mark", "\uFEFFa", ["a"]],
    ["a byte order mark before a comment", "\uFEFF#a", []],
    ["a leading slash means nothing", "/a/b", ["a/b"]],
    ["a trailing slash means nothing", "a/", ["a"]],
    ["paths are cleaned", "a//b/./c/../d", ["a/b/d"]],
    ["blanks after !", "!  a", ["!a"]],
    ["a slash after !", "!/a", ["!a"]],
    ["Windows line ends", "a\r\nb\r\n", ["a", "b"]],
    ["no line end at the end", "a\nb", ["a", "b"]],
    ["a slash alone stays", "/", ["/"]],
  ])("%s", (_, text, patterns) => expect(read(text)).toEqual(patterns));

  it("says which line is wrong", () => {
    expect(() => readIgnoreFile("a\n\n!\n")).toThrow(
      expect.objectContaining({ range: expect.objectContaining({ start: { line: 3, column: 1 } }) }),
    );
  });
});
