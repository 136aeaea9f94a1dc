import {
  chownSync,
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { newBuildId } from "@mayfly/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSource } from "./open-source.ts";

const GATEWAY = 4242;

describe("the upload of a build", () => {
  const build = newBuildId(0);
  const digest = `sha256:${"0".repeat(64)}`;
  let dir: string;
  let uploads: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-upload-"));
    uploads = join(dir, "uploads");
    mkdirSync(uploads);
    chownSync(uploads, GATEWAY, GATEWAY);
    writeFileSync(join(dir, "secret"), "root's own");
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const opened = (size_bytes: number) => {
    const source = { kind: "module", file_name: "index.ts", digest, size_bytes } as never;
    return openSource(uploads, { build, source });
  };
  const upload = (content: string) => {
    writeFileSync(join(uploads, build), content);
    chownSync(join(uploads, build), GATEWAY, GATEWAY);
  };

  it("is what the gateway wrote, whole", async () => {
    upload("export default 1");
    expect(await text(await opened(16))).toBe("export default 1");
  });

  it("is closed once: a number that has become somebody else's meanwhile stays theirs", async () => {
    upload("export default 1");
    for (let i = 0; i < 100; i += 1) {
      await text(await opened(16));
      // The lowest free number: the upload's, if it is free by now.
      const others = openSync(join(dir, "secret"), "r");
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(fstatSync(others).size).toBe(10);
      closeSync(others);
    }
  });

  it("is nothing when it was announced with another size", async () => {
    upload("export default 1");
    await expect(opened(15)).rejects.toThrow("has 16 bytes, 15 were announced");
  });

  it("is never a file that a link leads to, symbolic or hard", async () => {
    symlinkSync(join(dir, "secret"), join(uploads, build));
    await expect(opened(10)).rejects.toThrow(/ELOOP/);
    rmSync(join(uploads, build));
    linkSync(join(dir, "secret"), join(uploads, build));
    await expect(opened(10)).rejects.toThrow("no file of the gateway's");
  });

  it("is no folder, and must be there", async () => {
    await expect(opened(10)).rejects.toThrow(/ENOENT/);
    mkdirSync(join(uploads, build));
    await expect(opened(10)).rejects.toThrow("no file of the gateway's");
  });
});
