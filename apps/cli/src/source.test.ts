import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { plainName, readSource } from "./source.ts";

const bytesOf = async (body: ReadableStream<Uint8Array>) => Buffer.concat(await Array.fromAsync(body));

async function entriesOf(zipped: Buffer): Promise<string[]> {
  const found: string[] = [];
  const archive = extract();
  Readable.from([gunzipSync(zipped)]).pipe(archive);
  for await (const entry of archive) {
    const { name, type, mode, linkname } = entry.header;
    found.push(`${type} ${name} ${mode?.toString(8)}${linkname ? ` -> ${linkname}` : ""}`);
    entry.resume();
  }
  return found;
}

describe("a source", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-cli-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  function project(name: string, mode: number): string {
    const root = join(dir, name);
    for (const folder of ["src", ".git", "node_modules/x", "src/node_modules"])
      mkdirSync(join(root, folder), { recursive: true });
    for (const file of ["src/b.ts", "index.ts", ".git/HEAD", "node_modules/x/index.js", ".env"])
      writeFileSync(join(root, file), file, { mode });
    writeFileSync(join(root, "run.sh"), "#!/bin/sh\n");
    chmodSync(join(root, "run.sh"), mode | 0o100);
    symlinkSync("/etc/passwd", join(root, "out"));
    return root;
  }

  it("that is a module is sent as it is, with its name", async () => {
    writeFileSync(join(dir, "My Fn.ts"), "x");
    writeFileSync(join(dir, "hello.ts"), "export default 1");
    const source = readSource(join(dir, "hello.ts"));
    expect(source).toMatchObject({ suggestedName: "hello", query: { file: "hello.ts" }, headers: {} });
    expect(String(await bytesOf(source.body))).toBe("export default 1");
    const odd = readSource(join(dir, "My Fn.ts"));
    expect(odd).toMatchObject({ suggestedName: "my-fn", query: {} });
    await odd.body.cancel();
  });

  it("that is a folder is a tar.gz without .git and node_modules; links stay links", async () => {
    const source = readSource(project("a", 0o644));
    expect(source.headers).toEqual({ "content-type": "application/gzip" });
    expect(await entriesOf(await bytesOf(source.body))).toEqual([
      "file .env 644",
      "file index.ts 644",
      "symlink out 755 -> /etc/passwd",
      "file run.sh 755",
      "directory src 755",
      "file src/b.ts 644",
    ]);
  });

  it("takes node_modules along when asked", async () => {
    const source = readSource(project("a", 0o644), { nodeModules: true });
    expect(await entriesOf(await bytesOf(source.body))).toContain("file node_modules/x/index.js 644");
  });

  it("that is the same folder is the same bytes, whatever its place, times and umask", async () => {
    const one = project("one", 0o644);
    const two = project("two", 0o660);
    utimesSync(join(two, "index.ts"), 1, 1);
    expect(await bytesOf(readSource(two).body)).toEqual(await bytesOf(readSource(one).body));
  });

  it("that is not there is refused by its path", () => {
    expect(() => readSource(join(dir, "none.ts"))).toThrow(`there is no ${join(dir, "none.ts")}`);
  });

  it.each([
    ["hello.ts", "hello"],
    ["My_Fn.mjs", "my-fn"],
    ["site.tar.gz", "site"],
    ["--a--", "a"],
    [`${"x".repeat(62)}-y`, "x".repeat(62)],
    ["日本", ""],
  ])("named %s suggests the name %j", (file, name) => expect(plainName(file)).toBe(name));
});
