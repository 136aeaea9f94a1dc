import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { sourceKind } from "./source-kind.ts";

describe("a source is known", () => {
  const kind = (type: string | undefined, first: string | Buffer, file?: string) =>
    Object.values(sourceKind(type, Buffer.from(first as string), file))
      .join(" ")
      .trim();
  const ustar = Buffer.concat([Buffer.alloc(257), Buffer.from("ustar\0"), Buffer.alloc(249)]);

  it.each<[string, string | undefined, string | Buffer, string | undefined, string]>([
    ["by type", "application/typescript", "x", undefined, "module index.ts"],
    ["by type with a charset", "text/javascript; charset=utf-8", "x", undefined, "module index.js"],
    ["by type, JSX", "text/tsx", "x", undefined, "module index.tsx"],
    ["by type, an archive", "application/zip", "whatever", undefined, "zip"],
    ["by the name that is given", undefined, "x", "hello.mjs", "module hello.mjs"],
    ["by its first bytes, zip", undefined, "PK\x03\x04...", undefined, "zip"],
    ["by its first bytes, gzip", undefined, gzipSync("x"), undefined, "tar.gz"],
    ["by its first bytes, tar", undefined, ustar, undefined, "tar"],
    ["by type, a Dockerfile", "text/x-dockerfile", "x", undefined, "dockerfile"],
    ["by its first words, a Dockerfile", undefined, "FROM debian\nRUN true\n", undefined, "dockerfile"],
    [
      "by its first words below comments, a Dockerfile",
      undefined,
      "# syntax\n\nARG A=1\nFROM $A",
      undefined,
      "dockerfile",
    ],
    ["as a module when it is text", undefined, "export default 1", undefined, "module index.ts"],
    ["as a module though it speaks of FROM", undefined, "// x\nexport { a } from 'b'", undefined, "module index.ts"],
  ])("%s", (_, type, first, file, expected) => {
    expect(kind(type, first, file)).toBe(expected);
  });

  it.each([
    [undefined, Buffer.from("\xfd7zXZ\0\0", "latin1"), "the body is compressed with xz"],
    [undefined, Buffer.from("BZh91AY&SY"), "compressed with bzip2"],
    ["text/x-dockerfile", Buffer.from("\x28\xb5\x2f\xfd", "latin1"), "compressed with zstd"],
    ["text/javascript", Buffer.from("a\0b"), "neither text nor a tar"],
    ["text/x-dockerfile", ustar, "neither text nor a tar"],
  ])("is none: %s %j", (type, first, message) => {
    expect(() => kind(type, first)).toThrow(message);
  });
});
