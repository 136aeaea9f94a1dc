import { describe, expect, it } from "vitest";
import { directory, file, symlink } from "../testing/entries.ts";
import { checkEntry, type LayerEntry } from "./entry.ts";
import { bytesOf, nameOf } from "./name.ts";
import { inLayerOrder } from "./order.ts";

const ROOTS = { mode: 0o644, uid: 0, gid: 0, mtime_s: 0 };
const xattrs = (...pairs: [string, string][]) => ({
  xattrs: new Map(pairs.map(([name, value]) => [name, Buffer.from(value)])),
});

describe("a layer entry", () => {
  it.each<[string, LayerEntry]>([
    ["a setuid program of a user", file("usr/bin/x", "", { mode: 0o4755, uid: 1000, gid: 1000 })],
    ["a name in UTF-8 with a blank", file("Grüße aus/日本")],
    ["a name that is no UTF-8", file("caf\udce9")],
    ["a name with the sign of a lost one", file("a\ufffd")],
    ["a component of 255 bytes", file("n".repeat(255))],
    ["a name that only looks like dots", file("a/...b/..c")],
    ["a name with a backslash, a colon and a line end", file("a\\b:c\n")],
    ["a link that points out and nowhere", symlink("lib64/ld.so", "/../../x")],
    [
      "the largest owner and a time before 1970",
      directory("d", { uid: 2 ** 32 - 2, mtime_s: -1, mtime_ns: 999_999_999 }),
    ],
    ["the root with a mode of its own", directory("", { mode: 0o1777 })],
    [
      "attributes of a user, capabilities, an ACL",
      file("a", "", xattrs(["user.x", "1"], ["security.capability", "\x01"], ["system.posix_acl_access", "x"])),
    ],
    ["a device", { type: "char_device", path: "dev/null", major: 1, minor: 3, ...ROOTS }],
    ["a block device 0:0", { type: "block_device", path: "dev/x", major: 0, minor: 0, ...ROOTS }],
    ["a second name", { type: "hard_link", path: "b", target: "a", ...ROOTS }],
    ["a whiteout", { type: "whiteout", path: "etc/x" }],
    ["an opaque root", { type: "opaque", path: "" }],
  ])("may be %s", (_, entry) => {
    expect(() => checkEntry(entry)).not.toThrow();
  });

  it.each<[string, LayerEntry, string]>([
    ["the root as a file", file(""), "refused"],
    ["the root as a link", symlink("", "/etc"), "refused"],
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
    ["a hard link's target that climbs", { type: "hard_link", path: "a", target: "../b", ...ROOTS }, "refused"],
    ["a whiteout's name", file("etc/.wh.passwd"), "refused"],
    ["an opaque marker's name", file("etc/.wh..wh..opq"), "refused"],
    ["a whiteout above it", file(".wh.d/x"), "refused"],
    ["the owner that means no change", file("a", "", { uid: 2 ** 32 - 1 }), "refused"],
    ["half a second", file("a", "", { mtime_s: 0.5 }), "refused"],
    ["a second in nanoseconds", file("a", "", { mtime_ns: 1e9 }), "refused"],
    ["half a surrogate in its target", symlink("a", "\ud800"), "refused"],
    [
      "the device 0:0, which is overlayfs' whiteout",
      { type: "char_device", path: "x", major: 0, minor: 0, ...ROOTS },
      "refused",
    ],
    [
      "a device beyond the kernel's numbers",
      { type: "block_device", path: "x", major: 4096, minor: 0, ...ROOTS },
      "refused",
    ],
    ["an opaque mark of overlayfs", directory("d", xattrs(["trusted.overlay.opaque", "y"])), "refused"],
    ["a redirect of overlayfs", directory("d", xattrs(["trusted.overlay.redirect", "/etc"])), "refused"],
    ["overlayfs' marks in a user namespace", file("a", "", xattrs(["user.overlay.whiteout", ""])), "refused"],
    ["overlayfs' metacopy", file("a", "", xattrs(["trusted.overlay.metacopy", ""])), "refused"],
    ["an attribute of root's alone", file("a", "", xattrs(["trusted.x", "1"])), "unsupported"],
    ["an attribute of nobody's", file("a", "", xattrs(["os2.x", "1"])), "unsupported"],
    ["an attribute that no archive can name", file("a", "", xattrs(["user.a=b", "1"])), "unsupported"],
    ["an attribute of 65 KiB", file("a", "", xattrs(["user.a", "x".repeat(65 * 1024)])), "refused"],
    [
      "129 attributes",
      file("a", "", xattrs(...Array.from({ length: 129 }, (_, at): [string, string] => [`user.${at}`, ""]))),
      "refused",
    ],
  ])("with %s is refused", (_, entry, reason) => {
    expect(() => checkEntry(entry)).toThrow(expect.objectContaining({ reason }));
  });
});

describe("a name", () => {
  it.each([
    ["plain", "etc/passwd", "6574632f706173737764"],
    ["UTF-8", "日", "e697a5"],
    ["latin-1", "caf\udce9", "636166e9"],
    ["cut off", "\udce6\udc97x", "e69778"],
    ["an encoded surrogate", "\udced\udca0\udc80", "eda080"],
    ["beyond the basic plane", "\u{1f600}\udcff", "f09f9880ff"],
  ])("of bytes that are %s is a string, and the string is the bytes", (_, name, hex) => {
    expect(nameOf(Buffer.from(hex, "hex"))).toBe(name);
    expect(bytesOf(name).toString("hex")).toBe(hex);
  });
});

describe("the order of a layer", () => {
  it("is by component, folders before what they hold, whatever order came in", () => {
    const wanted = ["", "a", "a/b", "a/b/c", "a-b", "a.b", "ab", "ä", "日"];
    const entries = wanted.map((path) => (path.startsWith("a") || path === "" ? directory(path) : file(path)));
    for (const given of [entries, entries.toReversed()]) {
      expect(inLayerOrder(given).map((entry) => entry.path)).toEqual(wanted);
    }
  });

  it("puts an opaque mark behind its folder", () => {
    const entries: LayerEntry[] = [file("d/x"), { type: "opaque", path: "d" }, directory("d")];
    expect(inLayerOrder(entries).map(({ type }) => type)).toEqual(["directory", "opaque", "file"]);
  });

  it("has no place for a path twice", () => {
    expect(() => inLayerOrder([file("a"), directory("b"), file("a")])).toThrow(/"a".*twice/);
    expect(() => inLayerOrder([{ type: "whiteout", path: "a" }, file("a")])).toThrow(/"a".*twice/);
  });

  it("has no place below a file or a link", () => {
    expect(() => inLayerOrder([symlink("a", "/etc"), file("a/passwd")])).toThrow(/below a, which is a symlink/);
    expect(() => inLayerOrder([file("a"), file("a/b/c"), file("a/b")])).toThrow(/below/);
  });
});
