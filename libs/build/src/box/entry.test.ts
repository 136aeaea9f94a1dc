import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findEntry } from "./entry.ts";
import type { Failure } from "./failure.ts";

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "mayfly-entry-"));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function write(files: Record<string, string | object>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), typeof content === "string" ? content : JSON.stringify(content));
  }
}

describe("the entry is", () => {
  it.each<[string, string, Record<string, string | object>, string | null]>([
    [
      "what was asked for",
      "app/run.ts",
      { "app/run.ts": "", "index.ts": "", "package.json": { main: "index.ts" } },
      "app/run.ts",
    ],
    ["what was asked for, without its ending", "app/run.ts", { "app/run.ts": "", "index.ts": "" }, "app/run"],
    [
      "main of package.json",
      "lib/a.js",
      { "package.json": { main: "./lib/a.js" }, "lib/a.js": "", "index.js": "" },
      null,
    ],
    [
      "main without its ending",
      "lib/a.js",
      { "package.json": { main: "lib/a" }, "lib/a.js": "", "index.js": "" },
      null,
    ],
    [
      "main that is a folder",
      "lib/index.ts",
      { "package.json": { main: "./lib/" }, "lib/index.ts": "", "index.js": "" },
      null,
    ],
    [
      "module before main",
      "b.mjs",
      { "package.json": { main: "a.cjs", module: "b.mjs" }, "a.cjs": "", "b.mjs": "" },
      null,
    ],
    [
      "exports before both",
      "c.js",
      { "package.json": { main: "a.js", exports: "./c.js" }, "a.js": "", "c.js": "" },
      null,
    ],
    [
      "exports by condition",
      "i.js",
      {
        "package.json": { exports: { ".": { types: "./t.d.ts", import: { default: "./i.js" }, require: "./r.cjs" } } },
        "i.js": "",
        "r.cjs": "",
      },
      null,
    ],
    ["the usual when main is not there", "index.ts", { "package.json": { main: "dist/a.js" }, "index.ts": "" }, null],
    ["index before src/index", "index.js", { "index.js": "", "src/index.ts": "" }, null],
    ["TypeScript before JavaScript", "index.ts", { "index.js": "", "index.ts": "" }, null],
    ["src/index", "src/index.tsx", { "src/index.tsx": "", "README.md": "" }, null],
    ["main", "main.mjs", { "main.mjs": "", "other.js": "" }, null],
    [
      "the only module",
      "hello.cts",
      { "hello.cts": "", "hello.test.ts": "", "vitest.config.ts": "", "env.d.ts": "" },
      null,
    ],
  ])("%s", (_, entry, files, asked) => {
    write(files);
    expect(findEntry(project, asked)).toBe(entry);
  });
});

describe("without an entry it is said", () => {
  const failure = (asked: string | null = null) => {
    try {
      findEntry(project, asked);
    } catch (error) {
      return (error as Failure).fault;
    }
    throw new Error("an entry was found");
  };

  it("what was looked for and what is there", () => {
    write({ "a.ts": "", "b.ts": "", "src/x.ts": "" });
    const { message, hint } = failure();
    expect(message).toContain("there is no index, src/index, main, src/main (.ts, .tsx");
    expect(hint).toBe("name it with entry=path; there is a.ts, b.ts, src");
  });
  it("that nothing is there", () => {
    expect(failure().hint).toContain("nothing in it");
  });
  it("what package.json names", () => {
    write({ "package.json": { main: "dist/server.js" } });
    expect(failure().message).toContain("package.json names dist/server.js, which is not there");
  });
  it("that package.json is none", () => {
    write({ "package.json": "{", "index.ts": "" });
    expect(failure().message).toContain("package.json cannot be read");
  });
  it("that what was asked for is not there", () => {
    write({ "index.ts": "" });
    expect(failure("server.ts")).toMatchObject({
      message: "entry=server.ts: there is no such file in the project",
      hint: "there is index.ts",
    });
  });
});
