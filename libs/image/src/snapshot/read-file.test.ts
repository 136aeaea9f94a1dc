import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readFileOf } from "./read-file.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mayfly-read-"));
  for (const layer of ["over", "under"]) mkdirSync(join(dir, layer, "etc"), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

const read = () => readFileOf({ lower: [join(dir, "over"), join(dir, "under")] }, "etc/passwd", 1024);
const over = () => join(dir, "over/etc/passwd");
const under = () => join(dir, "under/etc/passwd");

describe("a small file of an image", () => {
  it("is of the uppermost layer that has it", async () => {
    expect(await read()).toBeNull();
    writeFileSync(under(), "under");
    expect(await read()).toBe("under");
    writeFileSync(over(), "over");
    expect(await read()).toBe("over");
  });

  it.each([
    ["over its bound, however large (CVE-2026-47262)", () => execFileSync("truncate", ["--size=1G", over()])],
    ["a FIFO, which nobody writes to", () => execFileSync("mkfifo", [over()])],
    ["a link, perhaps to the host's", () => symlinkSync("/etc/passwd", over())],
    ["a device", () => execFileSync("mknod", [over(), "c", "1", "5"])],
    ["a folder", () => mkdirSync(over())],
  ])("is not read when it is %s, and hides what is below", async (_, make) => {
    writeFileSync(under(), "under");
    make();
    expect(await read()).toBeNull();
  });
});
