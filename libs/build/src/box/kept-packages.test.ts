import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Files, SourceFolder } from "../testing/source-folder.ts";
import { assetsOf } from "./assets.ts";

let at: SourceFolder;
beforeEach(() => {
  at = new SourceFolder();
});
afterEach(() => at.remove());

/** What lies beside the bundle. */
async function beside(files: Files): Promise<string[]> {
  const made = await at.make(files, "index.mjs");
  return made.files.flatMap(({ path }) => (path.startsWith("node_modules/") ? [path] : [])).sort();
}

const READER = {
  "index.mjs": "import read from 'reader'; export default read;",
  "node_modules/reader/package.json": { main: "lib/index.js", dependencies: { helper: "1" } },
  "node_modules/reader/lib/index.js":
    "const h = require('helper'); const fs = require('fs'); module.exports = () => h(fs.readFileSync(__dirname + '/../data/x.txt', 'utf8'));",
  "node_modules/reader/lib/index.d.ts": "export = 1;",
  "node_modules/reader/data/x.txt": "x",
  "node_modules/helper/package.json": {},
  "node_modules/helper/index.js": "module.exports = (text) => text + '!';",
  "node_modules/other/index.js": "module.exports = 1;",
};

describe("a package lies beside the bundle", () => {
  it("when it reads files beside itself, with what it depends on and without types", async () => {
    expect(await beside(READER)).toEqual([
      "node_modules/helper/index.js",
      "node_modules/helper/package.json",
      "node_modules/reader/data/x.txt",
      "node_modules/reader/lib/index.js",
      "node_modules/reader/package.json",
    ]);
  });

  it("and works there", async () => {
    const { files } = await at.make(READER, "index.mjs");
    const out = mkdtempSync(join(at.dir, "app-"));
    for (const { path, content } of files) {
      mkdirSync(dirname(join(out, path)), { recursive: true });
      writeFileSync(join(out, path), typeof content === "string" ? await readFile(content) : content);
    }
    expect((await import(pathToFileURL(join(out, "index.mjs")).href)).default()).toBe("x!");
  });

  it.each<[string, Files]>([
    [
      "has an addon",
      {
        "node_modules/p/index.js": "module.exports = require('./build/p.node');",
        "node_modules/p/build/p.node": "ELF",
      },
    ],
    [
      "has one for each platform",
      {
        "node_modules/p/index.js": "module.exports = require(`./prebuilds/${process.platform}/p.node`);",
        "node_modules/p/prebuilds/linux/p.node": "ELF",
      },
    ],
    [
      "has one looked for",
      {
        "node_modules/p/index.js": "module.exports = require('bindings')('p');",
        "node_modules/bindings/index.js": "module.exports = (name) => require(name);",
      },
    ],
    ["asks where it lies", { "node_modules/p/index.js": "module.exports = require.resolve('./x');" }],
    [
      "is a module that asks where it lies",
      {
        "node_modules/p/index.mjs": "export default import.meta.dirname;",
        "node_modules/p/package.json": { main: "index.mjs" },
      },
    ],
  ])("when it %s", async (_, files) => {
    const kept = await beside({ "index.mjs": "import p from 'p'; export default () => p;", ...files });
    expect(kept).toEqual(
      expect.arrayContaining(Object.keys(files).filter((path) => path.startsWith("node_modules/p/"))),
    );
  });

  it("together with whoever has a version of it that is not the project's", async () => {
    const kept = await beside({
      "index.mjs": "import q from 'q'; export default () => q;",
      "node_modules/q/package.json": { dependencies: { p: "1" } },
      "node_modules/q/index.js": "module.exports = require('p');",
      "node_modules/q/node_modules/p/index.js": "module.exports = __dirname;",
      "node_modules/p/index.js": "module.exports = 2;",
    });
    expect(kept).toEqual([
      "node_modules/q/index.js",
      "node_modules/q/node_modules/p/index.js",
      "node_modules/q/package.json",
    ]);
  });
});

describe("a bundle", () => {
  it("holds packages that do not mind", async () => {
    expect(
      await beside({
        "index.mjs": "import p from 'p'; export default () => p;",
        "node_modules/p/index.js": "module.exports = 1;",
      }),
    ).toEqual([]);
  });

  it("is made although a package names another that is not there", async () => {
    expect(
      await beside({
        "index.mjs": "import p from 'p'; export default () => p;",
        "node_modules/p/index.js": "exports.rare = () => require('not-there');",
      }),
    ).toEqual([]);
  });
});

it("assets keep their places and whether they can be executed; what is hidden or bundled stays out", async () => {
  await at.make(
    {
      "index.mjs": "export default 1;",
      "views/index.html": "<p>",
      "data.json": "{}",
      "bin/tool": "#!/bin/sh",
      ".env": "SECRET=1",
      "package.json": {},
      "src/x.ts": "",
      "node_modules/p/x.txt": "",
    },
    "index.mjs",
  );
  chmodSync(join(at.project, "bin/tool"), 0o755);
  const assets = assetsOf(at.project).map(({ path, executable }) => [path, executable]);
  expect(assets.sort()).toEqual([
    ["bin/tool", true],
    ["data.json", false],
    ["views/index.html", false],
  ]);
});
