import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hardLink, headerOf, symlink, tarOf, type ZipEntry, zipOf } from "../testing/archives.ts";
import { type Tar, UnpackTarget } from "../testing/unpack-target.ts";
import { Folder } from "./folder.ts";

let at: UnpackTarget;
beforeEach(() => {
  at = new UnpackTarget();
});
afterEach(() => {
  expect(at.neighbours()).toBe("canary src-evil canary alive alive");
  at.remove();
});

describe("a tar", () => {
  it("keeps links that stay inside, wherever they lead from there", async () => {
    await at.take(
      "tar",
      await tarOf([
        ["a/x.ts", "x"],
        ["l.ts", symlink("a/x.ts")],
        ["a/up", symlink("../l.ts")],
        ["gone", symlink("nowhere")],
      ]),
    );
    expect(readFileSync(join(at.root, "a/up"), "utf8")).toBe("x");
    expect(realpathSync(join(at.root, "l.ts"))).toBe(join(at.root, "a/x.ts"));
    expect(existsSync(join(at.root, "gone"))).toBe(false);
  });

  it("has hard links as copies, so that writing one name never changes the other", async () => {
    await at.take(
      "tar",
      await tarOf([
        ["a", "one"],
        ["b", hardLink("a")],
        ["a", "two"],
      ]),
    );
    expect([readFileSync(join(at.root, "a"), "utf8"), readFileSync(join(at.root, "b"), "utf8")]).toEqual([
      "two",
      "one",
    ]);
  });

  it("that has a name twice means the last, which never writes through a link", async () => {
    await at.take(
      "tar",
      await tarOf([
        ["x", "kept"],
        ["l", symlink("x")],
        ["l", "own"],
        ["d/e", "1"],
        ["d", "file now"],
      ]),
    );
    expect(lstatSync(join(at.root, "l")).isFile()).toBe(true);
    expect([readFileSync(join(at.root, "x"), "utf8"), readFileSync(join(at.root, "l"), "utf8")]).toEqual([
      "kept",
      "own",
    ]);
    expect(readFileSync(join(at.root, "d"), "utf8")).toBe("file now");
  });

  it("gives nobody rights: no bit of its modes is kept", async () => {
    await at.take("tar", await tarOf([["s", { content: "x", mode: 0o6777 }]]));
    expect(lstatSync(join(at.root, "s")).mode & 0o7000).toBe(0);
  });

  it("with a long name and a global header, as git makes them, is taken", async () => {
    const long = `${"folder/".repeat(20)}${"n".repeat(120)}.ts`;
    // `git archive` puts the commit's id there.
    const comment = Buffer.alloc(512);
    comment.write("52 comment=0123456789012345678901234567890123456789\n");
    await at.take("tar", Buffer.concat([headerOf("pax_global_header", 52, "g"), comment, await tarOf([[long, "x"]])]));
    expect(readFileSync(join(at.root, long), "utf8")).toBe("x");
  });

  it.each<[string, () => Promise<Buffer>, "tar" | "tar.gz"]>([
    ["is cut in the middle of a file", async () => (await tarOf([["x", "y".repeat(5000)]])).subarray(0, 2000), "tar"],
    ["has a wrong checksum", async () => Buffer.concat([Buffer.alloc(512, 65), Buffer.alloc(1024)]), "tar"],
    ["is no gzip", async () => Buffer.from("\x1f\x8b nonsense"), "tar.gz"],
    ["is a gzip cut off", async () => gzipSync(await tarOf([["x", "y".repeat(5000)]])).subarray(0, 60), "tar.gz"],
    ["has a header of a gigabyte", async () => gzipSync(headerOf("x", 1 << 30, "x")), "tar.gz"],
  ])("that %s cannot be read", async (_, bytes, kind) => {
    const fault = await at.refusal(kind, await bytes());
    expect([fault.code, fault.message]).toEqual([
      "unsupported_source",
      expect.stringContaining("the archive cannot be read: "),
    ]);
  });
});

describe("a zip", () => {
  it("is taken with its folders and links", async () => {
    await at.take(
      "zip",
      zipOf([
        ["a/", ""],
        ["a/x.ts", { content: "x", mode: 0o100644 }],
        ["l.ts", { content: "a/x.ts", mode: 0o120777 }],
      ]),
    );
    expect(readFileSync(join(at.root, "l.ts"), "utf8")).toBe("x");
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
    expect((await at.refusal("zip", zipOf([[name, entry]]))).message).toContain(message);
  });

  it("that is a bomb is refused", async () => {
    const fault = await at.refusal("zip", zipOf([["x", { content: Buffer.alloc(100e6), mode: 0o100644 }]]));
    expect(fault.code).toBe("body_too_large");
  });

  it("that is none cannot be read", async () => {
    expect(await at.refusal("zip", Buffer.from("PK\x03\x04 nonsense"))).toMatchObject({ code: "unsupported_source" });
  });
});

describe("a module", () => {
  it("is one file of its name", async () => {
    await at.take("module", Buffer.from("x"), "hello.mts");
    expect(readdirSync(at.root)).toEqual(["hello.mts"]);
  });
  it("has no name that leads anywhere", async () => {
    await at.take("module", Buffer.from("x"), "../../canary.ts");
    expect(readdirSync(at.root)).toEqual(["canary.ts"]);
    rmSync(at.root, { recursive: true });
    expect((await at.refusal("module", Buffer.from("x"), "..")).message).toContain("leads out");
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
    await at.take("tar", await tarOf(entries));
    expect(new Folder(at.root, 0).project(null)).toBe(join(at.root, project));
  });
});
