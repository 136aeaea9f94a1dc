import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decompressedArchive } from "./archive.ts";

async function unpacked(...packed: Buffer[]): Promise<Buffer> {
  const pieces = function* () {
    // Pieces that end anywhere: what is read across them is read right.
    for (const part of packed) for (let at = 0; at < part.length; at += 65_521) yield part.subarray(at, at + 65_521);
  };
  const parts: Uint8Array[] = [];
  for await (const part of await decompressedArchive(Readable.from(pieces()))) parts.push(part);
  return Buffer.concat(parts);
}

/** By somebody else's program. */
const pack = (command: string, input: Buffer): Buffer => {
  const [program, ...args] = command.split(" ");
  return execFileSync(program!, ["-c", ...args], { input, maxBuffer: 1 << 28 });
};

const lines = Buffer.from(Array.from({ length: 60_000 }, (_, n) => `line ${n * 7919} of ${n % 97}\n`).join(""));
const contents: [string, Buffer][] = [
  ["nothing", Buffer.alloc(0)],
  ["a byte", Buffer.from("x")],
  ["lines", lines],
  ["what cannot be packed", randomBytes(1_500_000)],
  ["zeros", Buffer.alloc(5_000_000)],
  ["runs of four and five", Buffer.from("aaaabbbbbccccddddd".repeat(10_000))],
  ["lines, noise, and the lines again", Buffer.concat([lines, randomBytes(70_000), lines])],
];

describe.each([
  "xz",
  "xz -0",
  "xz -9e --check=sha256",
  "xz -1 --check=crc32 --block-size=100000",
  "xz --check=none --lzma2=dict=4KiB,lc=0,lp=2,pb=0",
  "xz --lzma2=dict=1MiB,lc=4,lp=0,pb=4",
  "bzip2 -1",
  "bzip2 -9",
])("packed by %s", (command) => {
  it.each(contents)("%s comes out as it went in", async (_, content) => {
    expect((await unpacked(pack(command, content))).equals(content)).toBe(true);
  });
});

describe("an archive", () => {
  it.each([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
    ["nothing", (bytes: Buffer) => bytes],
  ])("packed with %s comes out as ever", async (_, packedWith) => {
    expect((await unpacked(packedWith(lines))).equals(lines)).toBe(true);
  });

  it.each(["xz", "bzip2"])("of several streams of %s is one", async (program) => {
    const [a, b] = [pack(program, lines), pack(program, Buffer.from("b"))];
    expect((await unpacked(a, b)).equals(Buffer.concat([lines, Buffer.from("b")]))).toBe(true);
  });

  it("of streams of xz may have zeros between them", async () => {
    const [a, b] = [pack("xz", Buffer.from("a")), pack("xz", Buffer.from("b"))];
    expect(String(await unpacked(a, Buffer.alloc(8), b, Buffer.alloc(4)))).toBe("ab");
  });

  it.each(["xz", "bzip2"])("of %s that was damaged anywhere is refused, and never read wrongly", async (program) => {
    const content = Buffer.from("the same words, the same words, and others\n".repeat(20));
    const packed = pack(program, content);
    for (let at = 0; at < packed.length; at++) {
      const damaged = Buffer.from(packed);
      damaged[at] = damaged[at]! ^ 0x21;
      const result = await unpacked(damaged).catch((error: Error) => error.name);
      // What does not begin as packed passes as it is; some bits in the padding of bzip2 mean nothing.
      const same = Buffer.isBuffer(result) && (result.equals(content) || result.equals(damaged));
      expect(same ? "ImageError" : result, `byte ${at}`).toBe("ImageError");
    }
  });

  it.each(["xz", "bzip2"])("of %s that ends early is refused", async (program) => {
    const packed = pack(program, lines);
    for (const share of [0.1, 0.5, 0.9, 0.999]) {
      const cut = packed.subarray(0, Math.floor(packed.length * share));
      await expect(unpacked(cut)).rejects.toThrow(/ends early/);
    }
  });

  it("of xz with filters for programs is refused by name", async () => {
    await expect(unpacked(pack("xz --x86 --lzma2", lines))).rejects.toThrow("LZMA2 alone can be read");
  });

  it("of xz with a dictionary as large as a machine is refused", async () => {
    const packed = pack("xz --lzma2=dict=512MiB", Buffer.from("small"));
    await expect(unpacked(packed)).rejects.toThrow("dictionary of 536870912 bytes");
  });
});
