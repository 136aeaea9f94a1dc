import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Entry, hardLink, symlink, tarOf, type ZipEntry, zipOf } from "../testing/archives.ts";
import { Failure } from "./failure.ts";
import { Folder, UNPACK_LIMITS } from "./folder.ts";
import { unpack } from "./unpack.ts";

let dir: string;
let root: string;
let limits: typeof UNPACK_LIMITS;
beforeEach(() => {
  limits = UNPACK_LIMITS;
  dir = mkdtempSync(join(tmpdir(), "mayfly-unpack-"));
  root = join(dir, "src");
  // What must not change: a neighbour, and one whose name begins with the folder's.
  writeFileSync(join(dir, "canary"), "alive");
  mkdirSync(join(dir, "src-evil"));
  writeFileSync(join(dir, "src-evil", "canary"), "alive");
});
afterEach(() => {
  expect(
    readdirSync(dir)
      .filter((name) => name !== "src")
      .sort(),
  ).toEqual(["canary", "src-evil", "upload"]);
  expect(readdirSync(join(dir, "src-evil"))).toEqual(["canary"]);
  for (const canary of ["canary", "src-evil/canary"]) expect(readFileSync(join(dir, canary), "utf8")).toBe("alive");
  rmSync(dir, { recursive: true, force: true });
});

async function take(kind: "tar" | "tar.gz" | "zip" | "module", bytes: Buffer, file_name = "index.ts"): Promise<void> {
  writeFileSync(join(dir, "upload"), bytes);
  await unpack(join(dir, "upload"), { kind, file_name, entry: null }, new Folder(root, bytes.byteLength, limits));
}

async function refusal(kind: "tar" | "tar.gz" | "zip" | "module", bytes: Buffer, file_name?: string) {
  const error = await take(kind, bytes, file_name).then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(Failure);
  return (error as Failure).fault;
}

const dirEntry: Entry = { type: "directory" };
type Tar = readonly (readonly [string, Entry])[];

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
    const fault = await refusal("tar", await tarOf(entries));
    expect([fault.code, fault.message]).toEqual(["build_failed", expect.stringContaining(message)]);
    expect(fault.message).not.toContain("alive");
  });

  it("but not by a name that only looks like it", async () => {
    await take(
      "tar",
      await tarOf([
        ["..a", "1"],
        ["a/..b/c..", "2"],
        ["./d", "3"],
        ["e//f", "4"],
      ]),
    );
    expect(readdirSync(root, { recursive: true }).sort()).toEqual(["..a", "a", "a/..b", "a/..b/c..", "d", "e", "e/f"]);
  });
});

describe("a tar", () => {
  it("keeps links that stay inside, wherever they lead from there", async () => {
    await take(
      "tar",
      await tarOf([
        ["a/x.ts", "x"],
        ["l.ts", symlink("a/x.ts")],
        ["a/up", symlink("../l.ts")],
        ["gone", symlink("nowhere")],
      ]),
    );
    expect(readFileSync(join(root, "a/up"), "utf8")).toBe("x");
    expect(realpathSync(join(root, "l.ts"))).toBe(join(root, "a/x.ts"));
    expect(existsSync(join(root, "gone"))).toBe(false);
  });

  it("has hard links as copies, so that writing one name never changes the other", async () => {
    await take(
      "tar",
      await tarOf([
        ["a", "one"],
        ["b", hardLink("a")],
        ["a", "two"],
      ]),
    );
    expect([readFileSync(join(root, "a"), "utf8"), readFileSync(join(root, "b"), "utf8")]).toEqual(["two", "one"]);
  });

  it("that has a name twice means the last, which never writes through a link", async () => {
    await take(
      "tar",
      await tarOf([
        ["x", "kept"],
        ["l", symlink("x")],
        ["l", "own"],
        ["d/e", "1"],
        ["d", "file now"],
      ]),
    );
    expect(lstatSync(join(root, "l")).isFile()).toBe(true);
    expect([readFileSync(join(root, "x"), "utf8"), readFileSync(join(root, "l"), "utf8")]).toEqual(["kept", "own"]);
    expect(readFileSync(join(root, "d"), "utf8")).toBe("file now");
  });

  it("gives nobody rights: no bit of its modes is kept", async () => {
    await take("tar", await tarOf([["s", { content: "x", mode: 0o6777 }]]));
    expect(lstatSync(join(root, "s")).mode & 0o7000).toBe(0);
  });

  it("with a long name and a global header, as git makes them, is taken", async () => {
    const long = `${"folder/".repeat(20)}${"n".repeat(120)}.ts`;
    // `git archive` puts the commit's id there.
    const comment = Buffer.alloc(512);
    comment.write("52 comment=0123456789012345678901234567890123456789\n");
    await take("tar", Buffer.concat([headerOf("pax_global_header", 52, "g"), comment, await tarOf([[long, "x"]])]));
    expect(readFileSync(join(root, long), "utf8")).toBe("x");
  });

  it.each<[string, () => Promise<Buffer>, "tar" | "tar.gz"]>([
    ["is cut in the middle of a file", async () => (await tarOf([["x", "y".repeat(5000)]])).subarray(0, 2000), "tar"],
    ["has a wrong checksum", async () => Buffer.concat([Buffer.alloc(512, 65), Buffer.alloc(1024)]), "tar"],
    ["is no gzip", async () => Buffer.from("\x1f\x8b nonsense"), "tar.gz"],
    ["is a gzip cut off", async () => gzipSync(await tarOf([["x", "y".repeat(5000)]])).subarray(0, 60), "tar.gz"],
    ["has a header of a gigabyte", async () => gzipSync(headerOf("x", 1 << 30, "x")), "tar.gz"],
  ])("that %s cannot be read", async (_, bytes, kind) => {
    const fault = await refusal(kind, await bytes());
    expect([fault.code, fault.message]).toEqual([
      "unsupported_source",
      expect.stringContaining("the archive cannot be read: "),
    ]);
  });
});

describe("a bomb is refused, and stopped before it fills the disk:", () => {
  it("one that unpacks to far more than itself", async () => {
    // 300 MB of zeros in a third of a megabyte.
    const zeros = gzipSync(Buffer.concat([headerOf("zeros", 300e6, "0"), Buffer.alloc(100e6)]));
    const many = Buffer.concat([zeros, gzipSync(Buffer.alloc(200e6))]);
    const fault = await refusal("tar.gz", many);
    expect(fault).toMatchObject({
      code: "body_too_large",
      message: `the archive unpacks to more than ${UNPACK_LIMITS.ratio} times its size`,
    });
    expect(lstatSync(join(root, "zeros")).size).toBeLessThan(Math.max(16 << 20, many.byteLength * 200) + (1 << 20));
  });

  it("one of more entries than a project has", async () => {
    limits = { ...UNPACK_LIMITS, entries: 500 };
    const entries = Array.from({ length: 501 }, (_, i) => [`d${i}`, dirEntry] as const);
    const fault = await refusal("tar.gz", gzipSync(await tarOf(entries)));
    expect(fault).toMatchObject({ code: "body_too_large", message: expect.stringContaining("500 entries") });
  });

  it("one of folders that nobody names", async () => {
    limits = { ...UNPACK_LIMITS, entries: 500 };
    const entries = Array.from({ length: 10 }, (_, i) => [`${i}/${"d/".repeat(60)}x`, "x"] as const);
    const fault = await refusal("tar.gz", gzipSync(await tarOf(entries)));
    expect(fault).toMatchObject({ code: "body_too_large", message: expect.stringContaining("500 entries") });
  });

  it("one that copies itself by hard links", async () => {
    const copies = Array.from({ length: 40 }, (_, i) => [`h${i}`, hardLink("x")] as const);
    const fault = await refusal("tar.gz", gzipSync(await tarOf([["x", Buffer.alloc(4 << 20, 7)], ...copies])));
    expect(fault.code).toBe("body_too_large");
  });
});

describe("a zip", () => {
  it("is taken with its folders and links", async () => {
    await take(
      "zip",
      zipOf([
        ["a/", ""],
        ["a/x.ts", { content: "x", mode: 0o100644 }],
        ["l.ts", { content: "a/x.ts", mode: 0o120777 }],
      ]),
    );
    expect(readFileSync(join(root, "l.ts"), "utf8")).toBe("x");
  });

  it.each<[string, string, ZipEntry | string, string]>([
    ["an absolute name", "/etc/x", "x", "absolute path"],
    ["a name that goes up", "a/../../canary", "x", "invalid relative path"],
    ["a name that goes up in the Windows way", "a\\..\\..\\canary", "x", "invalid relative path"],
    ["a drive", "C:\\x", "x", "absolute path"],
    ["an absolute link", "l", { content: "/etc/passwd", mode: 0o120777 }, "leads out of the project"],
    ["a link up and out", "l", { content: "../canary", mode: 0o120777 }, "leads out of the project"],
    [
      "a link whose target is a bomb",
      "l",
      { content: Buffer.alloc(50e6, 97), mode: 0o120777 },
      "a target of more than 4096 bytes",
    ],
    ["a pipe", "p", { content: "", mode: 0o010644 }, "a special file"],
    ["a device", "c", { content: "", mode: 0o020644 }, "a special file"],
    ["a file that is more than it claims", "x", { content: Buffer.alloc(1e6), claims: 10 }, "cannot be read"],
  ])("that reaches out by %s is refused", async (_, name, entry, message) => {
    expect((await refusal("zip", zipOf([[name, entry]]))).message).toContain(message);
  });

  it("that is a bomb is refused", async () => {
    const fault = await refusal("zip", zipOf([["x", { content: Buffer.alloc(100e6), mode: 0o100644 }]]));
    expect(fault.code).toBe("body_too_large");
  });

  it("that is none cannot be read", async () => {
    expect(await refusal("zip", Buffer.from("PK\x03\x04 nonsense"))).toMatchObject({ code: "unsupported_source" });
  });
});

describe("a module", () => {
  it("is one file of its name", async () => {
    await take("module", Buffer.from("x"), "hello.mts");
    expect(readdirSync(root)).toEqual(["hello.mts"]);
  });
  it("has no name that leads anywhere", async () => {
    await take("module", Buffer.from("x"), "../../canary.ts");
    expect(readdirSync(root)).toEqual(["canary.ts"]);
    rmSync(root, { recursive: true });
    expect((await refusal("module", Buffer.from("x"), "..")).message).toContain("leads out");
  });
});

describe("the project is", () => {
  it.each<[string, Tar, string]>([
    [
      "the folder",
      [
        ["index.ts", "x"],
        ["src/a.ts", "y"],
      ],
      ".",
    ],
    ["the only folder in it", [["repo-main/index.ts", "x"]], "repo-main"],
    [
      "the only folder beside what macOS adds",
      [
        ["._repo", "x"],
        [".DS_Store", "x"],
        ["__MACOSX/x", "x"],
        ["repo/index.ts", "x"],
      ],
      "repo",
    ],
    [
      "the folder when there are two in it",
      [
        ["a/index.ts", "x"],
        ["b/index.ts", "x"],
      ],
      ".",
    ],
    ["the folder when the only thing in it is a link to a folder", [["a", symlink("a")]], "."],
  ])("%s", async (_, entries, project) => {
    await take("tar", await tarOf(entries));
    expect(new Folder(root, 0).project()).toBe(join(root, project));
  });
});

/** A ustar header by hand, with a size that need not be true. */
function headerOf(name: string, size: number, typeflag: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(typeflag, 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
