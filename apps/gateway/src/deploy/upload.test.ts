import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { spoolUpload } from "./upload.ts";

const MOST = 10_000;

describe("an upload", () => {
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-upload-"));
    path = join(dir, "upload");
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("lies in a file with its digest, its size and its first bytes known", async () => {
    const body = [Buffer.from("export "), Buffer.from("default 1"), Buffer.alloc(5000, "x")];
    const whole = Buffer.concat(body);
    const upload = await spoolUpload(Readable.from(body), path, MOST);
    expect(readFileSync(path).equals(whole)).toBe(true);
    expect(upload.digest).toBe(`sha256:${createHash("sha256").update(whole).digest("hex")}`);
    expect(upload.size_bytes).toBe(whole.byteLength);
    expect(upload.first.equals(whole.subarray(0, 1024))).toBe(true);
  });

  it("that breaks off leaves nothing", async () => {
    const body = new PassThrough();
    body.write("half");
    setTimeout(() => body.destroy(new Error("the client has gone")), 20);
    await expect(spoolUpload(body, path, MOST)).rejects.toThrow("the client has gone");
    expect(existsSync(path)).toBe(false);
  });

  it("of which nothing comes any more is given up, and leaves nothing", async () => {
    const body = new PassThrough();
    const dripping = setInterval(() => body.write("x"), 20);
    setTimeout(() => clearInterval(dripping), 200);
    const began = performance.now();
    await expect(spoolUpload(body, path, MOST, 100)).rejects.toMatchObject({ code: "bad_request" });
    expect(performance.now() - began).toBeGreaterThan(250);
    expect(existsSync(path)).toBe(false);
  });

  it("that is larger than it may be leaves nothing, and is told both sizes", async () => {
    const fault = spoolUpload(Readable.from([Buffer.alloc(MOST), Buffer.alloc(1)]), path, MOST);
    await expect(fault).rejects.toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining(`is ${MOST + 1} bytes or more, the limit is ${MOST}`),
    });
    expect(existsSync(path)).toBe(false);
  });

  it("never writes over what is there", async () => {
    await spoolUpload(Readable.from([Buffer.from("first")]), path, MOST);
    await expect(spoolUpload(Readable.from([Buffer.from("second")]), path, MOST)).rejects.toThrow("EEXIST");
    expect(readFileSync(path, "utf8")).toBe("first");
  });
});
