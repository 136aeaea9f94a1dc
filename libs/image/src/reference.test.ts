import { describe, expect, it } from "vitest";
import { formatTag, parseReference } from "./reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("an image reference", () => {
  it.each([
    ["hello", null, "hello", "latest", null],
    ["mayfly/node:24", null, "mayfly/node", "24", null],
    ["a/b/c:v1.0_x-y", null, "a/b/c", "v1.0_x-y", null],
    ["localhost:5000/x", "localhost:5000", "x", "latest", null],
    ["localhost/x", "localhost", "x", "latest", null],
    ["Registry.example.com:443/team__x/app-1:T", "Registry.example.com:443", "team__x/app-1", "T", null],
    ["host:5000/x:tag", "host:5000", "x", "tag", null],
    ["[::1]:5000/x", "[::1]:5000", "x", "latest", null],
    [`x@${DIGEST}`, null, "x", "latest", DIGEST],
    [`x:1@${DIGEST}`, null, "x", "1", DIGEST],
  ])("%s is read", (text, host, repository, tag, digest) => {
    const name = host === null ? repository : `${host}/${repository}`;
    expect(parseReference(text)).toEqual({ name, host, repository, tag, digest });
    expect(formatTag(parseReference(text))).toBe(`${name}:${tag}`);
  });

  it.each([
    ["", "no name"],
    ["Hello", "no name"],
    ["a//b", "no name"],
    ["/a", "no name"],
    ["a/", "no name"],
    ["../a", "no name"],
    ["a..b", "no name"],
    ["a b", "no name"],
    ["x:", "no tag"],
    ["x:.hidden", "no tag"],
    [`x:${"t".repeat(129)}`, "no tag"],
    ["x@sha256:abc", "no digest"],
    ["x@", "no digest"],
    ["n".repeat(256), "no name"],
    ["a".repeat(64), "taken for an id"],
  ])("%s is refused", (text, why) => {
    expect(() => parseReference(text)).toThrow(why);
  });
});
