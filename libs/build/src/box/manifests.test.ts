import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Folder } from "./folder.ts";
import { dependenciesOf } from "./manifests.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mayfly-manifests-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function wanted(files: Record<string, string | object>, dir: string | null = null) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  const folder = new Folder(root, 0);
  return dependenciesOf(folder.project(dir), folder);
}

const NEEDS = { dependencies: { ms: "2.1.3" } };
const LOCK = { lockfileVersion: 3 };

describe("dependencies are installed", () => {
  it("by the lockfile, from the files that npm reads and no others", () => {
    const source = { "index.js": "", "src/index.js": "", ".npmrc": "x=1", "vendored/a-1.0.0.tgz": "", "README.md": "" };
    expect(wanted({ "package.json": NEEDS, "package-lock.json": LOCK, ...source })).toEqual({
      root: "",
      lockfile: "package-lock.json",
      foreign_lockfile: null,
      files: [".npmrc", "package-lock.json", "package.json", "vendored/a-1.0.0.tgz"],
    });
  });

  it("without a lockfile, saying which other there is", () => {
    const request = wanted({ "package.json": { optionalDependencies: { ms: "2" } }, "pnpm-lock.yaml": "" });
    expect(request).toMatchObject({ lockfile: null, foreign_lockfile: "pnpm-lock.yaml", files: ["package.json"] });
  });

  it("where the archive of a repository has its project", () => {
    expect(wanted({ "repo-main/package.json": NEEDS, "repo-main/index.js": "" })).toMatchObject({
      root: "repo-main",
      files: ["repo-main/package.json"],
    });
  });

  it("for a folder of a monorepo from its root, with the manifests of all workspaces", () => {
    const files = {
      "package.json": { workspaces: ["packages/*"] },
      "package-lock.json": LOCK,
      "packages/api/package.json": NEEDS,
      "packages/lib/package.json": {},
    };
    expect(wanted(files, "packages/api")).toMatchObject({
      root: "",
      lockfile: "package-lock.json",
      files: ["package-lock.json", "package.json", "packages/api/package.json", "packages/lib/package.json"],
    });
  });

  it("for a folder with a lockfile of its own from there", () => {
    const files = {
      "package.json": NEEDS,
      "package-lock.json": LOCK,
      "api/package.json": NEEDS,
      "api/package-lock.json": LOCK,
    };
    expect(wanted(files, "api")).toMatchObject({ root: "api", files: ["api/package-lock.json", "api/package.json"] });
  });
});

describe("nothing is installed", () => {
  it.each<[string, Record<string, string | object>]>([
    ["without a package.json", { "index.js": "" }],
    ["when it names no dependencies", { "package.json": { name: "x" } }],
    ["for development", { "package.json": { devDependencies: { vitest: "5.1.1" } } }],
    ["when the source brings them along", { "package.json": NEEDS, "node_modules/ms/index.js": "" }],
  ])("%s", (_, files) => expect(wanted(files)).toBeNull());

  it("when package.json cannot be read, which is said", () => {
    expect(() => wanted({ "package.json": "[]" })).toThrow("package.json cannot be read: it is no JSON object");
  });
});

describe("a folder of the source", () => {
  it("that is not there is said, with what is", () => {
    expect(() => wanted({ "a/x.js": "", "b/x.js": "" }, "c")).toThrow("dir=c: there is no such folder in the source");
  });
  it("is no file, and nothing outside", () => {
    expect(() => wanted({ "a.js": "", "b.js": "" }, "a.js")).toThrow("no such folder");
    expect(() => wanted({}, "..")).toThrow("no such folder");
  });
});
