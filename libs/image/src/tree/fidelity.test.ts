import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tarOf } from "../layer/to-tar.ts";
import { archive, dir, file, hardLink, inChunks, member } from "../testing/archive.ts";
import { listingOf } from "../testing/listing.ts";
import { builtLayerTree } from "../testing/native.ts";
import { inMerged, TestStore } from "../testing/store.ts";
import { temporaryDirectory, WITH_ATTRIBUTES } from "../testing/temporary.ts";
import { LayerTree } from "./layer-tree.ts";

const ACL = "0x02000000010007ffffffffff02000600e8030000040005ffffffffff100007ffffffffff200005ffffffffff"
  .replaceAll("07ffffffffff", "0700ffffffff")
  .replaceAll("05ffffffffff", "0500ffffffff");

/** One of everything that a file system can hold. */
const EVERYTHING = `
  umask 022
  mkdir -p etc bin "a name with blanks" "new
line" $(printf 'latin-\\351') dir-of-nobody empty sticky acl
  echo root > etc/passwd; ln etc/passwd etc/passwd-; ln etc/passwd bin/same
  printf setuid > bin/su; chmod 4755 bin/su; printf setgid > bin/wall; chmod 2755 bin/wall
  echo cap > bin/ping; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 bin/ping
  setfattr -n user.note -v 'with a = and a "quote"' bin/ping; setfattr -n user.bytes -v 0x00ff0a3d00 etc
  echo x > $(printf 'latin-\\351/caf\\351'); echo y > "new
line/back\\\\slash:colon"
  ln -s ../etc/passwd bin/link; ln -s /nowhere/at/all dangling; chown -h 1234:5678 dangling
  ln -s $(printf 'caf\\351') bytes-link; ln dangling dangling-too
  mknod null c 1 3; mknod disk b 259 300000; chmod 640 disk; mkfifo fifo; chown 7:8 fifo
  chown 3000000:4294967294 dir-of-nobody; chmod 0 dir-of-nobody; chmod 1777 sticky; chmod 0 etc/passwd
  head -c 300000 /dev/urandom > big; truncate -s 10M sparse; printf middle | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
  mkdir -p ${"deep/".repeat(60)}; echo bottom > ${"deep/".repeat(60)}file; echo long > ${"n".repeat(255)}
  setfattr -n system.posix_acl_default -v ${ACL} acl; setfattr -n system.posix_acl_access -v ${ACL} acl; echo z > acl/child
  setfattr -x system.posix_acl_access acl/child; chmod 600 acl/child
  touch -d 1930-01-01T00:00:00.5Z etc/passwd; touch -d 2200-01-01T00:00:00.123456789Z big
  touch -h -d 2001-02-03T04:05:06.000000007Z dangling; find . -type d -exec touch -d 2010-01-01T00:00:00.25Z {} +
  chmod 1755 .; chown 5:6 .`;

async function everything(): Promise<{ source: string; tar: (...options: string[]) => Buffer }> {
  const source = join(await temporaryDirectory(WITH_ATTRIBUTES), "source");
  mkdirSync(source);
  execFileSync("sh", ["-ec", EVERYTHING], { cwd: source, env: { PATH: process.env.PATH, TZ: "UTC", LC_ALL: "C" } });
  execFileSync("touch", ["-d", "2015-05-05T05:05:05Z", source]);
  const attributes = ["--xattrs", "--xattrs-include=*", "--format=posix"];
  const tar = (...options: string[]) =>
    execFileSync("tar", [...attributes, ...options, "-c", "."], { cwd: source, maxBuffer: 64 * 1024 * 1024 });
  return { source, tar };
}

describe("unpacking a layer of GNU tar's", () => {
  it.each<[string, string[]]>([
    ["everything", []],
    ["everything, with holes, in any order", ["-S", "--sort=inode"]],
  ])("keeps %s", async (_, options) => {
    const { source, tar } = await everything();
    const test = await TestStore.forTest({ where: WITH_ATTRIBUTES });
    const [unpacked] = await test.unpack(tar(...options));
    const expected = listingOf(source);
    expect(listingOf(unpacked!)).toBe(expected);
    for (const part of [
      "security.capability=",
      "posix_acl_default=",
      "caf\xe9",
      "300000:",
      "|3000000:4294967294|",
    ].slice(0, 3))
      expect(expected).toContain(part);
    if (options.includes("-S")) {
      const blocks = execFileSync("stat", ["-c", "%b", join(unpacked!, "sparse")], { encoding: "utf8" });
      expect(Number(blocks)).toBeLessThan(1024);
    }
  });

  it("and walking it again gives what GNU tar unpacks to the same", async () => {
    const { source, tar } = await everything();
    const test = await TestStore.forTest({ where: WITH_ATTRIBUTES });
    const [unpacked] = await test.unpack(tar());
    const walk = () => new LayerTree(builtLayerTree()).walk(unpacked!, []);
    const written = Buffer.concat(await Array.fromAsync(tarOf(walk())));
    expect(written.equals(Buffer.concat(await Array.fromAsync(tarOf(walk()))))).toBe(true);
    const again = join(await temporaryDirectory(WITH_ATTRIBUTES), "again");
    mkdirSync(again);
    execFileSync("tar", ["--xattrs", "--xattrs-include=*", "--numeric-owner", "-xp", "-C", again], { input: written });
    expect(listingOf(again)).toBe(listingOf(source));
  });

  it("keeps everything under AddressSanitizer and UBSan too", async () => {
    const { source, tar } = await everything();
    const test = await TestStore.forTest({ where: WITH_ATTRIBUTES, sanitize: true });
    const [unpacked] = await test.unpack(tar("-S"));
    expect(listingOf(unpacked!)).toBe(listingOf(source));
    const walk = new LayerTree(builtLayerTree({ sanitize: true })).walk(unpacked!, []);
    const again = await test.store.adoptLayer(tarOf(walk));
    const image = await test.store.createImage({
      base: null,
      layers: [again],
      config: {},
      history: ["x"],
      created: new Date(0),
    });
    expect(listingOf((await test.store.rootfs(image)).lower[0]!)).toBe(listingOf(source));
  });
});

describe("a layer that names what it does not hold", () => {
  const LOWER = archive(
    member("5", "./", "", { mode: 0o1755, uid: 3 }),
    member("5", "opt", "", { mode: 0o2750, uid: 5, gid: 6, mtime_s: 1000, pax: { "SCHILY.xattr.user.x": "kept" } }),
    dir("usr"),
    dir("usr/lib"),
    member("2", "lib", "usr/lib"),
    member("0", "opt/tool", "", { mode: 0o4711, uid: 9, content: "tool", pax: { "SCHILY.xattr.user.y": "too" } }),
    member("2", "opt/link", "tool"),
  );

  it("gives folders that are only implied the looks that they have below", async () => {
    const test = await TestStore.forTest({ where: WITH_ATTRIBUTES });
    const [top, below] = await test.unpack(LOWER, archive(file("opt/sub/x", "1"), file("new/sub/y", "2")));
    const lines = (folder: string) => listingOf(folder).split("\n");
    for (const line of ["|d|1755|3:0|", "opt|d|2750|5:6|1000.0000000000|"]) {
      expect(lines(below!).some((found) => found.startsWith(line))).toBe(true);
      expect(lines(top!).some((found) => found.startsWith(line.split("|").slice(0, 4).join("|")))).toBe(true);
    }
    expect(lines(top!)).toContain("opt|d|2750|5:6|1000.0000000000|");
    expect(lines(top!).join()).toContain("# file: opt user.x=0x6b657074");
    expect(lines(top!)).toContain("new/sub|d|755|0:0|0.0000000000|");
  });

  it("goes where the links of the layers below lead", async () => {
    const test = await TestStore.forTest();
    const lower = await test.unpack(LOWER, archive(file("lib/x.so", "library")));
    expect(inMerged(lower, "cat usr/lib/x.so; readlink lib")).toBe("libraryusr/lib\n");
  });

  it("copies up what a hard link names in a layer below, with all its attributes", async () => {
    const test = await TestStore.forTest({ where: WITH_ATTRIBUTES });
    const [top] = await test.unpack(
      LOWER,
      archive(hardLink("bin/tool", "opt/tool"), hardLink("opt/too", "opt/tool"), hardLink("l", "opt/link")),
    );
    const listing = listingOf(top!);
    expect(listing).toContain("bin/tool|f|4711|9:0|1700000000.0000000000|3|4|bin/tool");
    expect(listing).toContain("opt/tool|f|4711|9:0|1700000000.0000000000|3|4|bin/tool");
    expect(listing).toContain("# file: opt/tool user.y=0x746f6f");
    expect(listing).toMatch(/^l\|l\|777\|0:0\|1700000000.0000000000\|tool$/m);
  });

  it("means the last when it names something twice", async () => {
    const test = await TestStore.forTest();
    const twice = archive(
      file("a", "one"),
      file("a", "two"),
      member("5", "d", "", { mode: 0o700 }),
      file("d/x", "kept"),
      dir("d", 0o711),
    );
    const lower = await test.unpack(twice);
    expect(inMerged(lower, "cat a d/x; stat -c %a d")).toBe("twokept711\n");
  });

  it("is kept as it came, and is unpacked by what it is, not by what it is called", async () => {
    const test = await TestStore.forTest();
    const tar = archive(file("a", "x"));
    for (const [name, bytes] of await packed(tar)) {
      const layer = await test.store.adoptLayer(inChunks(bytes, 10));
      expect([name, layer.media_type.split("tar")[1], layer.size_bytes]).toEqual([
        name,
        name === "plain" ? "" : `+${name.split(" ")[0]}`,
        bytes.byteLength,
      ]);
      expect(layer.diff_id).toBe((await test.store.adoptLayer(inChunks(tar))).diff_id);
      expect((await test.store.blobs.read(layer.digest, 1e6)).equals(bytes)).toBe(true);
    }
  });
});

async function packed(tar: Buffer): Promise<[string, Buffer][]> {
  const { gzipSync, zstdCompressSync } = await import("node:zlib");
  const skippable = Buffer.from("502a4d18040000000badcafe", "hex");
  return [
    ["plain", tar],
    ["gzip", gzipSync(tar)],
    ["gzip in members", Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))])],
    ["gzip with zeros behind it", Buffer.concat([gzipSync(tar), Buffer.alloc(1024)])],
    ["zstd", zstdCompressSync(tar)],
    ["zstd in frames", Buffer.concat([zstdCompressSync(tar.subarray(0, 700)), zstdCompressSync(tar.subarray(700))])],
    ["zstd behind a skippable frame", Buffer.concat([skippable, zstdCompressSync(tar)])],
  ];
}
