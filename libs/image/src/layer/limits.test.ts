import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { archive, file, inChunks, member } from "../testing/archive.ts";
import { TestStore } from "../testing/store.ts";
import type { LayerLimits } from "./limits.ts";

const MIB = 1024 * 1024;

/** An image of one layer that is made while it is stored. */
async function unpackStream(test: TestStore, source: AsyncIterable<Uint8Array>): Promise<unknown> {
  const layer = await test.store.adoptLayer(source);
  const image = await test.store.createImage({
    base: null,
    layers: [layer],
    config: {},
    history: ["x"],
    created: new Date(0),
  });
  return test.store.rootfs(image);
}

async function* zeros(bytes: number, pack: (bytes: Buffer) => Buffer): AsyncGenerator<Uint8Array> {
  yield pack(member("0", "zeros", "", { size: bytes }));
  const block = pack(Buffer.alloc(8 * MIB));
  for (let left = bytes; left > 0; left -= 8 * MIB) yield block;
  yield pack(Buffer.alloc(1024));
}

/** Members of one kind without an end. */
async function* endless(next: (at: number) => Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < 1_000_000; at += 1000) {
    yield gzipSync(Buffer.concat(Array.from({ length: 1000 }, (_, i) => next(at + i))), { level: 1 });
    if (at >= 20_000) return;
  }
}

const small: Partial<LayerLimits> = { ratio_free_bytes: 16 * MIB, ratio: 100 };

/** The bombs of archives, by what they try to fill. */
const BOMBS: readonly [name: string, limits: Partial<LayerLimits>, () => AsyncIterable<Uint8Array>, RegExp][] = [
  [
    "a gigabyte of zeros in gzip",
    small,
    () => zeros(1024 * MIB, (bytes) => gzipSync(bytes)),
    /packed more than 100 times over/,
  ],
  [
    "a gigabyte of zeros in zstd",
    small,
    () => zeros(1024 * MIB, (bytes) => zstdCompressSync(bytes)),
    /packed more than 100 times over/,
  ],
  [
    "zeros behind the end of the archive",
    small,
    () => inChunks(gzipSync(Buffer.concat([archive(), Buffer.alloc(64 * MIB)]))),
    /packed more/,
  ],
  [
    "more bytes than a layer may have",
    { bytes: 10 * MIB },
    () => zeros(64 * MIB, (bytes) => gzipSync(bytes)),
    /at most 10485760 bytes/,
  ],
  [
    "a file of an exabyte with holes",
    {},
    () =>
      inChunks(archive(member("0", "a", "", { pax: { "GNU.sparse.size": String(2 ** 50), "GNU.sparse.map": "0,0" } }))),
    /at most 68719476736 bytes together/,
  ],
  ["entries without an end", { entries: 5000 }, () => endless((at) => file(`f${at}`)), /at most 5000 entries/],
  ["whiteouts without an end", { entries: 5000 }, () => endless((at) => file(`.wh.f${at}`)), /at most 5000 entries/],
  [
    "links to one file without an end",
    { entries: 5000 },
    () => endless((at) => (at === 0 ? file("a") : member("1", `l${at}`, "a"))),
    /at most 5000 entries/,
  ],
  [
    "folders in each other without an end",
    {},
    () => inChunks(archive(member("5", "d", "", { pax: { path: Array(300).fill("d").join("/") } }))),
    /at most 256 deep/,
  ],
  [
    "a path longer than the kernel's",
    {},
    () => inChunks(archive(member("0", "a", "", { pax: { path: `${"p".repeat(250)}/`.repeat(17) } }))),
    /longer than 4095 bytes/,
  ],
  [
    "a link longer than the kernel's",
    {},
    () => inChunks(archive(member("2", "a", "", { pax: { linkpath: "x".repeat(5000) } }))),
    /longer than 4095 bytes/,
  ],
  [
    "an attribute of a megabyte",
    {},
    () => inChunks(archive(member("0", "a", "", { pax: { "SCHILY.xattr.user.x": "y".repeat(900_000) } }))),
    /exceeds 64 KiB/,
  ],
  [
    "attributes without an end",
    {},
    () =>
      inChunks(
        archive(
          member("0", "a", "", {
            pax: Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`SCHILY.xattr.user.${at}`, "y"])),
          }),
        ),
      ),
    /128 are the most/,
  ],
  [
    "an unpacking without an end",
    { wall_ms: 300 },
    () => endless((at) => file(`d${at % 100}/f${at}`, "x")),
    /longer than 300 ms/,
  ],
];

describe("a bomb", () => {
  it.each(BOMBS)("of %s is refused, and nothing of it is left", async (_, limits, source, message) => {
    const test = await TestStore.forTest({ limits });
    await expect(unpackStream(test, source())).rejects.toMatchObject({
      reason: "refused",
      message: expect.stringMatching(message),
    });
    expect(test.snapshots()).toEqual([]);
    expect(await test.leftovers()).toEqual([]);
  });

  it.each(["x", "g", "L", "K"])("of an extended header (%s) that announces a gigabyte is refused", async (type) => {
    const test = await TestStore.forTest();
    const head = member(type, "h", "", { size: 1024 * MIB }).subarray(0, 512);
    await expect(unpackStream(test, inChunks(Buffer.concat([head, Buffer.alloc(2 * MIB)])))).rejects.toMatchObject({
      ...{ name: "ImageError", message: expect.stringContaining("1 MiB is the most") },
    });
    expect(test.snapshots()).toEqual([]);
    expect(await test.leftovers()).toEqual([]);
  });

  it.each<[string, Buffer]>([
    ["overlayfs' redirect", member("5", "d", "", { pax: { "SCHILY.xattr.trusted.overlay.redirect": "/etc" } })],
    [
      "overlayfs' mark in a user namespace",
      member("0", "f", "", { pax: { "SCHILY.xattr.user.overlay.whiteout": "" } }),
    ],
    ["overlayfs' metacopy", member("0", "f", "", { pax: { "SCHILY.xattr.trusted.overlay.metacopy": "" } })],
  ])("or a layer with %s is refused, and nothing of it is left", async (_, bytes) => {
    const test = await TestStore.forTest();
    const unpacking = unpackStream(test, inChunks(archive(file("before"), bytes)));
    await expect(unpacking).rejects.toMatchObject({ reason: "refused" });
    expect(test.snapshots()).toEqual([]);
    expect(await test.leftovers()).toEqual([]);
  });

  it.each<[string, Buffer]>([
    ["is no gzip behind its first bytes", Buffer.from("1f8b0800deadbeef", "hex")],
    ["is cut off", gzipSync(archive(file("a", "x".repeat(100_000)))).subarray(0, 100)],
    ["is cut off in zstd", zstdCompressSync(archive(file("a", "x".repeat(100_000)))).subarray(0, 30)],
    [
      "has something else behind its zstd",
      Buffer.concat([zstdCompressSync(archive(file("a"))), Buffer.from("trailing")]),
    ],
  ])("or a layer that %s is said to be corrupt", async (_, bytes) => {
    const test = await TestStore.forTest();
    await expect(test.store.adoptLayer(inChunks(bytes))).rejects.toMatchObject({ reason: "corrupt" });
  });
});
