import { describe, expect, it } from "vitest";
import { checkEntry, type LayerEntry } from "./entry.ts";
import { inLayerOrder } from "./order.ts";
import { directory, file, symlink } from "./sample.ts";

describe("a layer entry", () => {
  it.each<[string, LayerEntry]>([
    ["a setuid program of a user", file("usr/bin/x", "", { mode: 0o4755, uid: 1000, gid: 1000 })],
    ["a name in UTF-8 with a blank", file("Grüße aus/日本")],
    ["a component of 255 bytes", file("n".repeat(255))],
    ["a name that only looks like dots", file("a/...b/..c")],
    ["a link that points out and nowhere", symlink("lib64/ld.so", "/../../x")],
    ["the largest owner and the last second", directory("d", { uid: 0o777777, mtime_s: 2 ** 31 - 1 })],
  ])("may be %s", (_, entry) => {
    expect(() => checkEntry(entry)).not.toThrow();
  });

  it.each<[string, LayerEntry, string]>([
    ["an empty path", file(""), "refused"],
    ["an absolute path", file("/etc/passwd"), "refused"],
    ["a path that climbs", file("a/../../etc/passwd"), "refused"],
    ["a path with a dot", file("./a"), "refused"],
    ["a path that ends in a slash", file("a/"), "refused"],
    ["a NUL in its name", file("a\0b"), "refused"],
    ["a component of 256 bytes", file("n".repeat(256)), "refused"],
    ["a path of 4096 bytes", file(`${"ab/".repeat(1365)}a`), "refused"],
    ["a mode with type bits", file("a", "", { mode: 0o100644 }), "refused"],
    ["a negative size", file("a", "", { size_bytes: -1 }), "refused"],
    ["an empty link target", symlink("a", ""), "refused"],
    ["a NUL in its target", symlink("a", "b\0c"), "refused"],
    ["a whiteout's name", file("etc/.wh.passwd"), "unsupported"],
    ["an opaque marker's name", file("etc/.wh..wh..opq"), "unsupported"],
    ["a whiteout above it", file(".wh.d/x"), "unsupported"],
    ["an owner that the tar writer would cut", file("a", "", { uid: 0o1000000 }), "unsupported"],
    ["a time before 1970", file("a", "", { mtime_s: -1 }), "unsupported"],
    ["a time after 2038", file("a", "", { mtime_s: 2 ** 31 }), "unsupported"],
    ["half a second", file("a", "", { mtime_s: 0.5 }), "unsupported"],
    ["bytes that were no UTF-8", file("a\ufffd"), "unsupported"],
    ["half a surrogate in its target", symlink("a", "\ud800"), "unsupported"],
  ])("with %s is refused", (_, entry, reason) => {
    expect(() => checkEntry(entry)).toThrow(expect.objectContaining({ reason }));
  });
});

describe("the order of a layer", () => {
  it("is by component, folders before what they hold, whatever order came in", () => {
    const wanted = ["a", "a/b", "a/b/c", "a-b", "a.b", "ab", "ä", "日"];
    const entries = wanted.map((path) => (path.startsWith("a") ? directory(path) : file(path)));
    for (const given of [entries, entries.toReversed()]) {
      expect(inLayerOrder(given).map((entry) => entry.path)).toEqual(wanted);
    }
  });

  it("has no place for a path twice", () => {
    expect(() => inLayerOrder([file("a"), directory("b"), file("a")])).toThrow(/"a".*twice/);
  });

  it("has no place below a file or a link", () => {
    expect(() => inLayerOrder([symlink("a", "/etc"), file("a/passwd")])).toThrow(/below a, which is a symlink/);
    expect(() => inLayerOrder([file("a"), file("a/b/c"), file("a/b")])).toThrow(/below/);
  });
});
