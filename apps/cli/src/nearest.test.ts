import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";

describe("the nearest names", () => {
  it.each([
    ["helo", ["hello", "world", "help"], ["hello", "help"]],
    ["hello", ["world", "x"], []],
    ["a", ["b", "abc", "ab"], ["b", "ab"]],
    ["thumb", ["thumbs", "thumb-1", "thumb1", "thumby", "tomb"], ["thumbs", "thumb1", "thumby"]],
  ])("to %s among %j are %j", (typed, names, near) => expect(nearest(typed, names)).toEqual(near));
});
