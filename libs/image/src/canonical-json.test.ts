import { expect, it } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

it("does not depend on the order in which members were set", () => {
  const one = { b: [{ d: 1, c: null }], a: "x", skipped: undefined };
  const other = { a: "x", b: [{ c: null, d: 1 }] };
  expect(canonicalJson(one)).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  expect(canonicalJson(other)).toBe(canonicalJson(one));
});

it("keeps the order of lists", () => {
  expect(canonicalJson([2, 1])).not.toBe(canonicalJson([1, 2]));
});
