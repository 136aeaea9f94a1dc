import { execFileSync } from "node:child_process";
import { symlink as link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import type { LayerEntry } from "./entry.ts";
import { directory, file, symlink } from "./sample.ts";
import { entriesOfTar } from "./tar-read.ts";
import { chunksOf, tarOf } from "./tar-write.ts";

const LONG = `${"d".repeat(120)}/${"e".repeat(130)}`;
const ALL_KINDS: LayerEntry[] = [
  directory("app", { mode: 0o1777, uid: 7, gid: 8 }),
  file("app/empty", ""),
  file("app/forbidden", "x", { mode: 0 }),
  file("app/large", "y".repeat(200_000), { mode: 0o6755, uid: 1000, gid: 0o777777, mtime_s: 0 }),
  symlink("app/link", "/usr/lib/x", { uid: 5 }),
  symlink("app/longlink", `../${LONG}`),
  symlink("app/ünilink", "größe"),
  file("app/日本 語", "z", { mtime_s: 2 ** 31 - 1 }),
  directory("d".repeat(120)),
  file(LONG, "deep"),
];

const tar = async (entries: Iterable<LayerEntry>) => Buffer.concat(await Array.fromAsync(tarOf(entries)));

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

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
  it("carries every attribute of files, folders and links there and back, however it is cut", async () => {
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
    const list = execFileSync("tar", ["-tvf", join(dir, "x.tar"), "--numeric-owner", "--quoting-style=literal"], {
      env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8", TZ: "UTC" },
      encoding: "utf8",
    });
    const lines = list.trimEnd().split("\n");
    expect(lines).toHaveLength(ALL_KINDS.length);
    expect(lines[0]).toMatch(/^drwxrwxrwt 7\/8 +0 2023-11-14 22:13 app\/$/);
    expect(lines[2]).toMatch(/^---------- 0\/0 /);
    expect(lines[3]).toMatch(/^-rwsr-sr-x 1000\/262143 +200000 1970-01-01 00:00 app\/large$/);
    expect(lines[6]).toMatch(/app\/ünilink -> größe$/);
    expect(lines[7]).toMatch(/2038-01-19 03:14 app\/日本 語$/);
    expect(lines[9]).toMatch(new RegExp(`${LONG}$`));
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

describe("reading a tar", () => {
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
    await expect(readAll(failing())).rejects.toThrow("cut off");
  });

  it.each([
    ["a truncated one", async () => (await tar(ALL_KINDS)).subarray(0, 50_000)],
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

  it("takes what GNU tar and dpkg write: ./ before names, and a root that says nothing", async () => {
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
        "directory etc",
        "symlink etc/l",
        "file etc/x",
      ]);
    }
  });

  it.each<[string, string, string]>([
    ["a hard link", "touch a && ln a b && tar -c a b", '"b" cannot be carried by this version: it is a hard link'],
    ["a fifo", "mkfifo a && tar -c a", '"a" cannot be carried by this version: it is a fifo'],
    ["a device", "mknod a c 1 3 && tar -c a", '"a" cannot be carried by this version: it is a character-device'],
    ["an attribute", "touch a && setfattr -n user.x -v y a && tar --xattrs -c a", "SCHILY.xattr.user.x"],
    ["a sparse file", "truncate -s 1M a && tar --format=posix -S -c a", "GNU.sparse"],
    ["a whiteout", "touch .wh.a && tar -c .wh.a", "whiteout"],
    ["a large owner", "touch a && tar --owner=x:300000 --format=posix -c a", "the owner 300000"],
    ["a time before 1970", "touch -d 1960-01-01 a && tar --format=posix -c a", "the time -315619200"],
    ["a climbing path", "touch a && tar -P --transform=s,a,../a, -c a", "no empty, . or .. component"],
    ["an absolute path", "touch a && tar -P -c $PWD/a", "must be relative"],
    ["a root with other owners", "tar --owner=x:1000 --mode=755 -c .", "the root of a layer is always 0:0"],
  ])("refuses %s by name", async (_, command, message) => {
    const bytes = execFileSync("sh", ["-ec", command], { cwd: await temporaryDirectory() });
    await expect(readAll(inChunks(bytes, 4096))).rejects.toThrow(message);
  });
});
