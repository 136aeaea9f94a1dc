import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";
import { excerptOf } from "./excerpt.ts";
import { plainList, quote, quoteCode, quoteList, trimSpace } from "./go-text.ts";
import { didYouMean, didYouMeanAnyCase, nearest } from "./suggest.ts";

const lines = (first: number, last = first) => ({ start: { line: first, column: 1 }, end: { line: last, column: 2 } });

describe("the lines around a failure", () => {
  const source = "one\ntwo\nthree\nfour\nfive\nsix\nseven";
  const excerpt = (first: number, last = first) => excerptOf(source, lines(first, last));

  it("marks a line in the middle", () => {
    expect(excerpt(4)).toBe(
      "Dockerfile:4\n--------------------\n   2 |     two\n   3 |     three\n   4 | >>> four\n   5 |     five\n   6 |     six\n--------------------\n",
    );
  });
  it.each([
    [1, 1, "   1 | >>> one\n   2 |     two\n   3 |     three\n"],
    [2, 2, "   1 |     one\n   2 | >>> two\n   3 |     three\n   4 |     four\n"],
    [7, 7, "   5 |     five\n   6 |     six\n   7 | >>> seven\n"],
    [3, 4, "   2 |     two\n   3 | >>> three\n   4 | >>> four\n   5 |     five\n"],
    [
      1,
      7,
      "   1 | >>> one\n   2 | >>> two\n   3 | >>> three\n   4 | >>> four\n   5 | >>> five\n   6 | >>> six\n   7 | >>> seven\n",
    ],
  ])("lines %i to %i", (first, last, shown) => expect(excerpt(first, last)).toContain(`--\n${shown}--`));

  it("names another file", () => expect(excerptOf("a", lines(1), "sub/Dockerfile")).toMatch(/^sub\/Dockerfile:1\n/));
  it("shows nothing of a line that is not there", () => expect(excerpt(9)).toBe(""));
  it("shows numbers of three digits in line", () => {
    expect(excerptOf("x\n".repeat(200), lines(100))).toContain("  99 |     x\n 100 | >>> x\n");
  });
});

describe("Go's times", () => {
  it.each([
    ["0", 0, "0s"],
    ["0s", 0, "0s"],
    ["5s", 5e9, "5s"],
    ["1h15m30.918s", 4_530_918e6, "1h15m30.918s"],
    ["90s", 90e9, "1m30s"],
    ["60m", 3600e9, "1h0m0s"],
    ["1.5ms", 1_500_000, "1.5ms"],
    ["1ms", 1e6, "1ms"],
    ["2us", 2e3, "2µs"],
    ["3ns", 3, "3ns"],
    [".5s", 5e8, "500ms"],
    ["-1m", -60e9, "-1m0s"],
    ["+1m", 60e9, "1m0s"],
  ])("%s is %d ns, written %s", (text, nanoseconds, written) => {
    expect(parseDuration(text)).toBe(nanoseconds);
    expect(formatDuration(nanoseconds)).toBe(written);
  });
  it.each(["", "s", ".s", "5", "5x", "1m2", "-", "1 s"])("%j is none", (text) =>
    expect(() => parseDuration(text)).toThrow("time: "),
  );
});

describe("Go's way to print text", () => {
  it.each([
    ["a", '"a"'],
    ['a"b\\', '"a\\"b\\\\"'],
    ["a\n\t\r\x07", '"a\\n\\t\\r\\a"'],
    ["\x00\x7f", '"\\x00\\x7f"'],
    ["ü한☺", '"ü한☺"'],
    ["\u200b\u00a0", '"\\u200b\\u00a0"'],
    ["it's", '"it\'s"'],
  ])("%j is quoted %s", (text, quoted) => expect(quote(text)).toBe(quoted));
  it("lists", () => {
    expect(quoteList(["a", "b c"])).toBe('["a" "b c"]');
    expect(quoteList([])).toBe("[]");
    expect(plainList(["a", "b c"])).toBe("[a b c]");
  });
  it.each([
    [0, "'\\x00'"],
    [3, "'\\x03'"],
    [10, "'\\n'"],
    [39, "'\\''"],
    [65, "'A'"],
  ])("the number %i is the character %s", (code, quoted) => expect(quoteCode(code)).toBe(quoted));
  it("blanks are Unicode's", () => expect(trimSpace("\u0085\u00a0\u3000 a\uFEFF ")).toBe("a\uFEFF"));
});

describe("what was probably meant", () => {
  it.each([
    ["form", ["from", "chown"], "from"],
    ["targt", ["source", "target"], "target"],
    ["RNU", ["ENV", "RUN"], "RUN"],
    ["from", ["from", "form"], undefined],
    ["completely", ["different"], undefined],
    ["x", [], undefined],
  ])("%s of %j is %s", (word, options, match) => expect(nearest(word, options)).toBe(match));
  it("is said in brackets", () => expect(didYouMean("form", ["from"])).toBe(" (did you mean from?)"));
  it("keeps the word's case", () => {
    expect(didYouMeanAnyCase("CPOY", ["copy"])).toBe(" (did you mean COPY?)");
    expect(didYouMeanAnyCase("cpoy", ["COPY"])).toBe(" (did you mean copy?)");
  });
});
