import { execFileSync } from "node:child_process";
import { symlink as link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { archive, dir as dirMember, inChunks, member } from "../testing/archive.ts";
import { directory, file, symlink } from "../testing/entries.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import type { LayerEntry } from "./entry.ts";
import { entriesOfTar } from "./from-tar.ts";
import { chunksOf, tarOf } from "./to-tar.ts";

const LONG = `${"d".repeat(120)}/${"e".repeat(130)}`;
const ROOTS = { mode: 0o644, uid: 0, gid: 0, mtime_s: 0 };
const ALL_KINDS: LayerEntry[] = [
  directory("", { mode: 0o1755, uid: 1 }),
  directory("app", { mode: 0o1777, uid: 7, gid: 8 }),
  { type: "opaque", path: "app" },
  file("app/empty", ""),
  file("app/forbidden", "x", { mode: 0 }),
  file("app/large", "y".repeat(200_000), { mode: 0o6755, uid: 3_000_000, gid: 2 ** 32 - 2, mtime_s: 0 }),
  { type: "hard_link", path: "app/larger", target: "app/large", ...ROOTS },
  symlink("app/link", "/usr/lib/x", { uid: 5 }),
  symlink("app/longlink", `../${LONG}`),
  symlink("app/ünilink", "größe"),
  file("app/caf\udce9", "no UTF-8", { xattrs: new Map([["user.bytes", Buffer.from([0, 0xff, 0x0a, 0x3d])]]) }),
  file("app/日本 語", "z", { mtime_s: 2 ** 33 }),
  file("before", "1970", { mtime_s: -1_000_000_001, mtime_ns: 250_000_000 }),
  directory("d".repeat(120)),
  file(LONG, "deep", { mtime_s: -1_000_000_000 }),
  { type: "char_device", path: "dev/null", major: 1, minor: 3, ...ROOTS },
  { type: "block_device", path: "dev/sda", major: 4095, minor: 1_048_575, ...ROOTS, mtime_ns: 1 },
  { type: "fifo", path: "fifo", ...ROOTS },
  { type: "whiteout", path: "gone" },
];

const tar = async (entries: Iterable<LayerEntry>) => Buffer.concat(await Array.fromAsync(tarOf(entries)));

/** Entries with their contents, as plain values. */
async function readAll(source: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const entry of entriesOfTar(source)) {
    if (entry.type !== "file") found.push(entry);
    else found.push({ ...entry, content: Buffer.concat(await Array.fromAsync(chunksOf(entry))) });
  }
  return found;
}

describe("a layer's tar", () => {
  it("carries everything there and back, however it is cut", async () => {
    const bytes = await tar(ALL_KINDS);
    const expected = ALL_KINDS.map((entry) => (entry.type === "file" ? { ...entry, once: true } : entry));
    for (const size of [511, 65_536, bytes.byteLength]) {
      expect(await readAll(inChunks(bytes, size))).toEqual(expected);
    }
  });

  it("is the same bytes for the same entries", async () => {
    expect((await tar(ALL_KINDS)).equals(await tar(ALL_KINDS))).toBe(true);
  });

  it("reads in GNU tar as it was written", async () => {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, "x.tar"), await tar(ALL_KINDS));
    const options = ["--numeric-owner", "--quoting-style=literal", "--full-time", "--warning=no-timestamp"];
    const list = execFileSync("tar", ["-tvf", join(dir, "x.tar"), ...options], {
      env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8", TZ: "UTC" },
      encoding: "latin1",
    });
    const lines = Buffer.from(list, "latin1").toString("utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(ALL_KINDS.length);
    expect(lines[1]).toMatch(/^drwxrwxrwt 7\/8 +0 2023-11-14 22:13:20 app\/$/);
    expect(lines[2]).toMatch(/ app\/\.wh\.\.wh\.\.opq$/);
    expect(lines[4]).toMatch(/^---------- 0\/0 /);
    expect(lines[5]).toMatch(/^-rwsr-sr-x 3000000\/4294967294 +200000 1970-01-01 00:00:00 app\/large$/);
    expect(lines[6]).toMatch(/^h.* app\/larger link to app\/large$/);
    expect(lines[9]).toMatch(/app\/ünilink -> größe$/);
    expect(lines[11]).toMatch(/2242-03-16 12:56:32 app\/日本 語$/);
    expect(lines[14]).toMatch(new RegExp(`1938-04-24 22:13:20 +${LONG}$`));
    expect(lines[15]).toMatch(/^crw-r--r-- 0\/0 +1,3 /);
    expect(lines[16]).toMatch(/^brw-r--r-- 0\/0 +4095,1048575 1970-01-01 00:00:00\.000000001 dev\/sda$/);
    expect(lines[17]).toMatch(/^prw-r--r-- /);
    expect(lines[18]).toMatch(/ \.wh\.gone$/);
  });

  it("of no entries is no entries", async () => {
    expect(await readAll(inChunks(await tar([]), 512))).toEqual([]);
  });

  it("is not written when a content is shorter or longer than announced", async () => {
    for (const size_bytes of [0, 2, 4]) {
      const wrong = file("a", "123", { size_bytes });
      await expect(tar([wrong, file("b")])).rejects.toThrow(new RegExp(`"a".*${size_bytes} bytes were announced`));
    }
  });

  it("is not written when a content cannot be read", async () => {
    const failure = new Error("the disk went away");
    const content = async function* () {
      yield Buffer.from("1");
      throw failure;
    };
    await expect(tar([file("a", "", { size_bytes: 3, content })])).rejects.toBe(failure);
  });

  it("closes its contents when its reader leaves", async () => {
    let closed = false;
    const content = async function* () {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        closed = true;
      }
    };
    for await (const _ of tarOf([file("a", "", { size_bytes: 1e12, content })])) break;
    await expect.poll(() => closed).toBe(true);
  });
});

describe("reading a layer's tar", () => {
  it("skips contents that nobody read, and gives what comes after them", async () => {
    const paths: string[] = [];
    for await (const entry of entriesOfTar(inChunks(await tar(ALL_KINDS), 4096))) paths.push(entry.path);
    expect(paths).toEqual(ALL_KINDS.map((entry) => entry.path));
  });

  it("fails with what the source failed with, also inside of a content", async () => {
    const bytes = await tar(ALL_KINDS);
    const failure = Object.assign(new Error("cut off"), { code: "ECUT" });
    const failing = async function* () {
      yield bytes.subarray(0, 50_000);
      throw failure;
    };
    await expect(readAll(failing())).rejects.toBe(failure);
  });

  it.each([
    ["a truncated one", async () => (await tar(ALL_KINDS)).subarray(0, 50_000)],
    ["one that is cut in a header", async () => (await tar(ALL_KINDS)).subarray(0, 700)],
    ["random bytes", async () => Buffer.alloc(4096, "no tar at all")],
    ["a damaged header", async () => Buffer.concat([Buffer.from([1]), (await tar(ALL_KINDS)).subarray(1)])],
  ])("fails on %s", async (_, make) => {
    await expect(readAll(inChunks(await make(), 4096))).rejects.toMatchObject({ reason: "corrupt" });
  });

  it("ends its source when it is left early", async () => {
    let ended = false;
    const bytes = await tar(ALL_KINDS);
    const endless = async function* () {
      try {
        yield bytes.subarray(0, 2048);
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        ended = true;
      }
    };
    for await (const _ of entriesOfTar(endless())) break;
    await expect.poll(() => ended).toBe(true);
  });

  it("takes what GNU tar and dpkg write: ./ before names, and the root", async () => {
    const dir = await temporaryDirectory();
    await mkdir(join(dir, "in", "etc"), { recursive: true, mode: 0o755 });
    await writeFile(join(dir, "in", "etc", "x"), "1");
    await link("x", join(dir, "in", "etc", "l"));
    const args = [
      "-C",
      join(dir, "in"),
      "--sort=name",
      "--owner=root:0",
      "--group=root:0",
      "--mode=u=rwX,go=rX",
      "-c",
      ".",
    ];
    for (const format of ["gnu", "ustar", "posix"]) {
      const bytes = execFileSync("tar", [`--format=${format}`, ...args]);
      const found = (await readAll(inChunks(bytes, 512))) as LayerEntry[];
      expect(found.map((entry) => `${entry.type} ${entry.path}`)).toEqual([
        "directory ",
        "directory etc",
        "symlink etc/l",
        "file etc/x",
      ]);
    }
  });

  it("keeps inside what climbs, and takes what begins at the root as being below it", async () => {
    const bytes = archive(dirMember("/a/./b//"), member("0", "../../../etc/passwd"), member("1", "x", "/../a/b/../c"));
    const found = (await readAll(inChunks(bytes))) as (LayerEntry & { target?: string })[];
    expect(found.map(({ path, target }) => [path, target])).toEqual([
      ["a/b", undefined],
      ["etc/passwd", undefined],
      ["x", "a/c"],
    ]);
  });

  it("leaves out the labels of a host's own security modules, and what nobody keeps", async () => {
    const pax = {
      "SCHILY.xattr.security.selinux": "label",
      "SCHILY.fflags": "x",
      comment: "y",
      "SCHILY.xattr.user.x": "1",
    };
    const [found] = (await readAll(inChunks(archive(member("0", "a", "", { pax }))))) as LayerEntry[];
    expect(found).toMatchObject({ xattrs: new Map([["user.x", Buffer.from("1")]]) });
  });

  it("skips the bookkeeping of aufs", async () => {
    const bytes = archive(
      dirMember(".wh..wh.plnk"),
      member("0", ".wh..wh.plnk/1.2"),
      member("0", ".wh..wh.aufs"),
      member("0", "a"),
      member("1", ".wh.b", ".wh..wh.aufs"),
    );
    const found = (await readAll(inChunks(bytes))) as LayerEntry[];
    expect(found.map(({ type, path }) => `${type} ${path}`)).toEqual(["file a", "whiteout b"]);
  });

  it.each<[string, Buffer, string, string]>([
    ["a folder named like a whiteout", archive(dirMember("a/.wh.b")), "refused", "whiteout's"],
    ["a whiteout of nothing", archive(member("0", "a/.wh.")), "refused", "names nothing"],
    ["a type that tar does not have", archive(member("M", "a")), "unsupported", '"M"'],
    ["overlayfs' device", archive(member("3", "a")), "refused", "0:0"],
    [
      "overlayfs' attribute",
      archive(member("5", "a", "", { pax: { "SCHILY.xattr.trusted.overlay.opaque": "y" } })),
      "refused",
      "overlayfs",
    ],
    [
      "an attribute without a name",
      archive(member("0", "a", "", { pax: { "SCHILY.xattr.": "y" } })),
      "refused",
      "without a name",
    ],
    ["a NUL in a name", archive(member("0", "a", "", { pax: { path: "b\0c" } })), "corrupt", "NUL"],
    ["a size that is none", archive(member("0", "a", "", { pax: { size: "-1" } })), "corrupt", "size"],
    ["an owner that is none", archive(member("0", "a", "", { pax: { uid: "0x10" } })), "corrupt", "uid"],
    ["a time that is none", archive(member("0", "a", "", { pax: { mtime: "soon" } })), "corrupt", "soon"],
    ["the owner -1", archive(member("0", "a", "", { pax: { uid: "4294967295" } })), "refused", "owner"],
    ["an extended header of 1 GiB", archive(member("x", "a", "", { size: 2 ** 30 })), "corrupt", "1 MiB"],
    ["a long name of 1 GiB", archive(member("L", "a", "", { size: 2 ** 30 })), "corrupt", "1 MiB"],
  ])("refuses %s by name", async (_, bytes, reason, message) => {
    await expect(readAll(inChunks(bytes, 4096))).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message),
    });
  });
});
