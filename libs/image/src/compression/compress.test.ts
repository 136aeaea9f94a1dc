import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compressed } from "./compress.ts";

const BYTES = Buffer.from(Array.from({ length: 60_000 }, (_, at) => `${(at * at) % 9973}\n`).join(""));

/** In pieces of a size; each comes a while after the one before it, or all come at once. */
async function* pieces(size: number, late: boolean, bytes = BYTES): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) {
    if (late) await new Promise((resolve) => setTimeout(resolve, 1));
    yield bytes.subarray(at, at + size);
  }
  if (late) await new Promise((resolve) => setTimeout(resolve, 5));
}

const packed = async (source: AsyncIterable<Uint8Array>, compression: "gzip" | "zstd") =>
  Buffer.concat(await Array.fromAsync(compressed(source, compression)));

describe.each([
  ["gzip", gunzipSync],
  ["zstd", zstdDecompressSync],
] as const)("what is packed with %s", (compression, unpack) => {
  it.each([0, 1, 900, BYTES.byteLength])("is the same however and whenever %i bytes come", async (length) => {
    const bytes = BYTES.subarray(0, length);
    const one = await packed(pieces(length || 1, false, bytes), compression);
    expect(unpack(one).equals(bytes)).toBe(true);
    for (const [size, late] of [
      [length || 1, true],
      [9_973, false],
      [65_536, true],
      [131_072, false],
    ] as const) {
      expect((await packed(pieces(size, late, bytes), compression)).equals(one)).toBe(true);
    }
  });

  it("fails with what its source threw", async () => {
    const failure = new Error("the disk is gone");
    const broken = async function* () {
      yield BYTES;
      throw failure;
    };
    await expect(packed(broken(), compression)).rejects.toBe(failure);
  });

  it("and is given up half way lets its source go", async () => {
    let isLetGo = false;
    const endless = async function* () {
      try {
        for (;;) yield BYTES;
      } finally {
        isLetGo = true;
      }
    };
    let taken = 0;
    for await (const _ of compressed(endless(), compression)) if (++taken === 3) break;
    await expect.poll(() => isLetGo).toBe(true);
  });
});
