import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { archive, dir, file, hardLink, inChunks, member, symlink } from "../testing/archive.ts";
import { LISTING, listingFrom, listingOf } from "../testing/listing.ts";
import { inMerged, TestStore } from "../testing/store.ts";
import { temporaryDirectory, WITH_ATTRIBUTES } from "../testing/temporary.ts";

const CREATED = new Date("2026-01-01T00:00:00Z");
const LAYERS = [
  archive(
    member("5", "./", "", { mode: 0o1755, uid: 4, mtime_s: 1000 }),
    dir("etc"),
    file("etc/a", "a", { uid: 3_000_000, mode: 0o4755, pax: { "SCHILY.xattr.user.x": "1", mtime: "-1.5" } }),
    file("etc/b", "b"),
    hardLink("etc/c", "etc/a"),
    dir("gone"),
    file("gone/x"),
    dir("opq"),
    file("opq/old"),
    member("3", "null", "", { major: 1, minor: 3 }),
    member("6", "fifo"),
    file("caf", "", { pax: { path: Buffer.from("caf\xe9", "latin1") } }),
  ),
  archive(
    file("etc/.wh.b"),
    file(".wh.gone"),
    dir("opq"),
    file("opq/.wh..wh..opq"),
    file("opq/new"),
    symlink("link", "etc/a"),
  ),
  archive(dir("etc"), file("etc/d", "d".repeat(70_000))),
];

const bytesOf = async (source: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(source));

describe("an exported root file system", () => {
  it("is what a box of the image sees, to the last attribute, in GNU tar's eyes", async () => {
    const test = await TestStore.forTest({ where: WITH_ATTRIBUTES });
    const image = await test.image(...LAYERS);
    const seen = listingFrom(
      inMerged((await test.store.rootfs(image)).lower, `chmod 1755 .; chown 4:0 .; touch -d @1000 .; ${LISTING}`),
    );
    const bytes = await bytesOf(test.store.export(image));
    expect((await bytesOf(test.store.export(image))).equals(bytes)).toBe(true);
    const out = join(await temporaryDirectory(WITH_ATTRIBUTES), "out");
    mkdirSync(out);
    execFileSync("tar", ["--xattrs", "--xattrs-include=*", "--numeric-owner", "-xp", "-C", out], {
      input: bytes,
      stdio: ["pipe", "pipe", "ignore"],
    });
    expect(listingOf(out)).toBe(seen);
  });

  it("of one layer is that layer", async () => {
    const test = await TestStore.forTest();
    const bytes = await bytesOf(test.store.export(await test.image(archive(dir("a"), file("a/b", "x")))));
    expect(execFileSync("tar", ["-t"], { input: bytes, encoding: "utf8" })).toBe("a/\na/b\n");
  });

  it("of more layers than one page of mount options names is whole", async () => {
    const test = await TestStore.forTest();
    const layer = archive(file("a", "x"));
    const image = await test.image(...Array<Buffer>(130).fill(layer));
    expect(execFileSync("tar", ["-t"], { input: await bytesOf(test.store.export(image)), encoding: "utf8" })).toBe(
      "a\n",
    );
  });

  it("ends when nobody reads it any more", async () => {
    const test = await TestStore.forTest();
    const image = await test.image(archive(file("a", "x".repeat(10_000_000))), archive(file("b")));
    for await (const _ of test.store.export(image)) break;
    expect(await test.leftovers()).toEqual([]);
  });
});

describe("an imported root file system", () => {
  it.each<[string, (tar: Buffer) => Buffer, string]>([
    ["plain", (tar) => tar, "gzip"],
    ["gzip", (tar) => gzipSync(tar), "gzip"],
    ["zstd", (tar) => zstdCompressSync(tar), "zstd"],
  ])("that was exported, %s, shows the same, and has lost its history", async (_, pack, packed) => {
    const test = await TestStore.forTest({ where: WITH_ATTRIBUTES });
    const image = await test.image(...LAYERS);
    const tar = await bytesOf(test.store.export(image));
    const imported = await test.store.import(inChunks(pack(tar)), { created: CREATED });
    const [was, is] = [await test.store.rootfs(image), await test.store.rootfs(imported)];
    const show = `chmod 1755 .; touch -d @1000 .; ${LISTING}`;
    expect(listingFrom(inMerged(is.lower, show))).toBe(listingFrom(inMerged(was.lower, show)));
    const { manifest, config } = await test.store.image(imported);
    expect(manifest.layers).toMatchObject([{ mediaType: `application/vnd.oci.image.layer.v1.tar+${packed}` }]);
    expect(config).toMatchObject({
      created: "2026-01-01T00:00:00Z",
      os: "linux",
      config: {},
      history: [{ created: "2026-01-01T00:00:00Z", comment: "Imported from -" }],
    });
    expect((await bytesOf(test.store.export(imported))).equals(tar)).toBe(true);
  });

  it("takes changes and a message", async () => {
    const test = await TestStore.forTest();
    const options = { changes: ['CMD ["/a"]', "ENV A=1"], message: "from elsewhere", created: CREATED };
    const { config } = await test.store.image(await test.store.import(inChunks(archive(file("a"))), options));
    expect(config).toMatchObject({ config: { Cmd: ["/a"], Env: ["A=1"] }, history: [{ comment: "from elsewhere" }] });
  });

  it.each<[string, Buffer, readonly string[]]>([
    ["is no tar", Buffer.alloc(3000, "x"), []],
    ["is cut", gzipSync(archive(file("a", "x".repeat(100_000)))).subarray(0, 90), []],
    ["breaks out", archive(symlink("a", "a"), file("a/b")), []],
    ["comes with a wrong change", archive(file("a")), ["FROM x"]],
  ])("that %s is refused, and nothing of it is to be seen", async (_, bytes, changes) => {
    const test = await TestStore.forTest();
    await expect(test.store.import(inChunks(bytes), { changes, created: CREATED })).rejects.toMatchObject({
      name: "ImageError",
    });
    expect(test.snapshots()).toEqual([]);
    expect(await test.leftovers()).toEqual([]);
  });
});

describe("umoci", () => {
  it("unpacks what we save to what a box of ours sees", async () => {
    const test = await TestStore.forTest({ where: WITH_ATTRIBUTES });
    const image = await test.image(...LAYERS);
    const work = await temporaryDirectory(WITH_ATTRIBUTES);
    await writeFile(join(work, "oci.tar"), await bytesOf(test.store.save([{ digest: image, tags: ["app:1"] }], "oci")));
    mkdirSync(join(work, "oci"));
    execFileSync("tar", ["-xf", join(work, "oci.tar"), "-C", join(work, "oci")]);
    execFileSync("umoci", ["unpack", "--image", `${join(work, "oci")}:app:1`, join(work, "bundle")]);
    const seen = inMerged(
      (await test.store.rootfs(image)).lower,
      `chmod 1755 .; chown 4:0 .; touch -d @1000 .; ${LISTING}`,
    );
    const theirs = listingOf(join(work, "bundle", "rootfs"));
    expect(theirs).toBe(listingFrom(seen));
  });
});
