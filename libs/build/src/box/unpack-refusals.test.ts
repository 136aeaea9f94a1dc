import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Entry, hardLink, headerOf, symlink, tarOf } from "../testing/archives.ts";
import { type Tar, UnpackTarget } from "../testing/unpack-target.ts";
import { UNPACK_LIMITS } from "./folder.ts";

const dirEntry: Entry = { type: "directory" };

let at: UnpackTarget;
beforeEach(() => {
  at = new UnpackTarget();
});
afterEach(() => {
  expect(at.neighbours()).toBe("canary src-evil canary alive alive");
  at.remove();
});

describe("a tar that reaches out of its folder is refused by", () => {
  it.each<[string, Tar, string]>([
    ["an absolute name", [["/etc/cron.d/x", "x"]], "leads out of its folder"],
    ["a name that goes up", [["a/../../canary", "x"]], "leads out of its folder"],
    ["a name that is up", [["..", dirEntry]], "leads out of its folder"],
    ["a neighbour whose name begins like ours", [["../src-evil/x", "x"]], "leads out of its folder"],
    ["an absolute link", [["l", symlink("/etc/passwd")]], "the link l leads out of the project"],
    ["a link up and out", [["a/l", symlink("../../canary")]], "the link a/l leads out of the project"],
    [
      "an absolute link to what is not there",
      [["l", symlink("/no/such/thing")]],
      "the link l leads out of the project",
    ],
    ["a link out to what is not there", [["l", symlink("../nothing")]], "the link l leads out of the project"],
    ["a link to the neighbour", [["l", symlink("../src-evil/canary")]], "the link l leads out of the project"],
    [
      "a link through a link",
      [
        ["a/b/s", symlink("../..")],
        ["t", symlink("a/b/s/../canary")],
      ],
      "the link t leads out of the project",
    ],
    [
      "a link through links",
      [
        ["d/e/f", symlink("../..")],
        ["g", symlink("d/e/f")],
        ["h", symlink("g/../src-evil")],
      ],
      "the link h leads out",
    ],
    [
      "a file through a link",
      [
        ["d", symlink(".")],
        ["d/x", "x"],
      ],
      "below something that is no folder",
    ],
    [
      "a folder through a link",
      [
        ["a/b", symlink("..")],
        ["a/b/c", dirEntry],
      ],
      "below something that is no folder",
    ],
    [
      "a file below a file",
      [
        ["f", "x"],
        ["f/x", "x"],
      ],
      "below something that is no folder",
    ],
    [
      "a folder in the place of a link",
      [
        ["a/b", symlink("..")],
        ["a/b", dirEntry],
      ],
      "twice, once as a folder",
    ],
    ["a hard link to an absolute name", [["h", hardLink("/etc/passwd")]], "leads out of its folder"],
    ["a hard link up and out", [["h", hardLink("../canary")]], "leads out of its folder"],
    [
      "a hard link to a link",
      [
        ["l", symlink("x")],
        ["h", hardLink("l")],
      ],
      "a hard link to no file of it",
    ],
    [
      "a hard link through a link",
      [
        ["a/b", symlink("..")],
        ["h", hardLink("a/b/canary")],
      ],
      "below something that is no folder",
    ],
    [
      "a hard link to what comes later",
      [
        ["h", hardLink("x")],
        ["x", "x"],
      ],
      "a hard link to no file of it",
    ],
    ["a character device", [["null", { type: "character-device", devmajor: 1, devminor: 3 }]], "a character-device"],
    ["a block device", [["sda", { type: "block-device", devmajor: 8, devminor: 0 }]], "a block-device"],
    ["a pipe", [["pipe", { type: "fifo" }]], "a fifo"],
    ["a file that is the folder", [[".", "x"]], "no name for a file"],
    ["a link that is the folder", [["./", symlink("src-evil")]], "no name for a file"],
    ["a path that is too deep", [[`${"d/".repeat(65)}x`, "x"]], "too long"],
    ["a path that is too long", [[`${"d".repeat(200)}/`.repeat(6), dirEntry]], "too long"],
    ["a name that is too long", [["n".repeat(256), "x"]], "too long"],
  ])("%s", async (_, entries, message) => {
    const fault = await at.refusal("tar", await tarOf(entries));
    expect([fault.code, fault.message]).toEqual(["build_failed", expect.stringContaining(message)]);
    expect(fault.message).not.toContain("alive");
  });

  it("but not by a name that only looks like it", async () => {
    await at.take(
      "tar",
      await tarOf([
        ["..a", "1"],
        ["a/..b/c..", "2"],
        ["./d", "3"],
        ["e//f", "4"],
      ]),
    );
    expect(readdirSync(at.root, { recursive: true }).sort()).toEqual([
      "..a",
      "a",
      "a/..b",
      "a/..b/c..",
      "d",
      "e",
      "e/f",
    ]);
  });
});

describe("a bomb is refused, and stopped before it fills the disk:", () => {
  it("one that unpacks to far more than itself", async () => {
    // 300 MB of zeros in a third of a megabyte.
    const zeros = gzipSync(Buffer.concat([headerOf("zeros", 300e6, "0"), Buffer.alloc(100e6)]));
    const many = Buffer.concat([zeros, gzipSync(Buffer.alloc(200e6))]);
    const fault = await at.refusal("tar.gz", many);
    expect(fault).toMatchObject({
      code: "body_too_large",
      message: `the archive unpacks to more than ${UNPACK_LIMITS.ratio} times its size`,
    });
    expect(lstatSync(join(at.root, "zeros")).size).toBeLessThan(Math.max(16 << 20, many.byteLength * 200) + (1 << 20));
  });

  it("one of more entries than a project has", async () => {
    at.limits = { ...UNPACK_LIMITS, entries: 500 };
    const entries = Array.from({ length: 501 }, (_, i) => [`d${i}`, dirEntry] as const);
    const fault = await at.refusal("tar.gz", gzipSync(await tarOf(entries)));
    expect(fault).toMatchObject({ code: "body_too_large", message: expect.stringContaining("500 entries") });
  });

  it("one of folders that nobody names", async () => {
    at.limits = { ...UNPACK_LIMITS, entries: 500 };
    const entries = Array.from({ length: 10 }, (_, i) => [`${i}/${"d/".repeat(60)}x`, "x"] as const);
    const fault = await at.refusal("tar.gz", gzipSync(await tarOf(entries)));
    expect(fault).toMatchObject({ code: "body_too_large", message: expect.stringContaining("500 entries") });
  });

  it("one that copies itself by hard links", async () => {
    const copies = Array.from({ length: 40 }, (_, i) => [`h${i}`, hardLink("x")] as const);
    const fault = await at.refusal("tar.gz", gzipSync(await tarOf([["x", Buffer.alloc(4 << 20, 7)], ...copies])));
    expect(fault.code).toBe("body_too_large");
  });
});
