import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundle } from "./bundle.ts";
import { Failure } from "./failure.ts";
import { Folder } from "./folder.ts";

let dir: string;
let project: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mayfly-bundle-"));
  project = join(dir, "src");
  writeFileSync(join(dir, "secret.txt"), "SECRET");
  writeFileSync(join(dir, "secret.json"), '{"x": SECRET}');
  writeFileSync(join(dir, "secret.js"), "export default 'SECRET';");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function make(files: Record<string, string | object>, entry = "index.ts") {
  const folder = new Folder(project, 0);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return bundle(project, entry, folder);
}

/** What the bundle's module exports when Node loads it from elsewhere. */
async function load(files: Record<string, string | object>, entry?: string) {
  const built = await make(files, entry);
  const out = join(dir, `out-${Math.random()}`);
  mkdirSync(out);
  for (const { path, contents } of built.files) writeFileSync(join(out, path), contents);
  return import(pathToFileURL(join(out, "index.mjs")).href);
}

async function fault(files: Record<string, string | object>, entry?: string) {
  const error = await make(files, entry).then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(Failure);
  expect(JSON.stringify((error as Failure).fault)).not.toContain("SECRET");
  return (error as Failure).fault;
}

describe("a bundle holds what", () => {
  it.each<[string, Record<string, string | object>, string, unknown]>([
    [
      "a TypeScript module says",
      { "index.ts": "enum E { A = 7 } export default (x: number): number => x + E.A;" },
      "index.ts",
      8,
    ],
    [
      "a .mts imports",
      { "a.mts": "import { f } from './b.mjs'; export default f;", "b.mts": "export const f = (x: number) => x * 2;" },
      "a.mts",
      2,
    ],
    ["a .cts exports", { "a.cts": "const f = (x: number) => x * 3; export = f;" }, "a.cts", 3],
    [
      "a .cjs exports",
      { "a.cjs": "module.exports = (x) => x + require('./b.json').n;", "b.json": { n: 5 } },
      "a.cjs",
      6,
    ],
    [
      "a .js imports as text",
      {
        "a.js": "import t from './t.txt'; import s from './s.sql'; export default (x) => t + s + x;",
        "t.txt": "T",
        "s.sql": "S",
      },
      "a.js",
      "TS1",
    ],
    [
      "Node has",
      {
        "a.mjs":
          "import { posix } from 'node:path'; import os from 'os'; export default () => posix.sep + typeof os.cpus;",
      },
      "a.mjs",
      "/function",
    ],
    [
      "CommonJS asks of Node",
      {
        "a.cjs":
          "const { sep } = require('path'); const fs = require('node:fs'); exports.default = () => sep + typeof fs.statSync;",
      },
      "a.cjs",
      "/function",
    ],
    [
      "CommonJS knows of where it is",
      { "a.cjs": "module.exports = () => __dirname + ' ' + __filename;" },
      "a.cjs",
      "/app /app/index.mjs",
    ],
    [
      "a module calls by these names itself",
      { "a.mjs": "const __dirname = 'mine'; export default () => __dirname;" },
      "a.mjs",
      "mine",
    ],
    [
      "a vendored package exports",
      {
        "index.ts":
          "import { twice } from 'pkg'; import s from '@o/p/sub'; export default (x: number) => twice(x) + s;",
        "node_modules/pkg/package.json": { exports: { import: "./i.mjs" } },
        "node_modules/pkg/i.mjs": "export const twice = (x) => 2 * x;",
        "node_modules/@o/p/sub.js": "module.exports = 40;",
      },
      "index.ts",
      42,
    ],
    [
      "a path of tsconfig.json leads to",
      {
        "index.ts": "import { a } from '@/a'; export default () => a;",
        "tsconfig.json": '{ "compilerOptions": { /* with comments */ "paths": { "@/*": ["./lib/*"] } } }',
        "lib/a.ts": "export const a = 'aliased';",
      },
      "index.ts",
      "aliased",
    ],
    [
      "top-level await gave",
      { "index.ts": "const x = await Promise.resolve(9); export default () => x;" },
      "index.ts",
      9,
    ],
    [
      "a folder's index says",
      { "index.ts": "export { default } from './lib';", "lib/index.ts": "export default () => 'lib';" },
      "index.ts",
      "lib",
    ],
    [
      "the entry says when it is called as the output is",
      { "index.mjs": "export default () => 'itself';" },
      "index.mjs",
      "itself",
    ],
  ])("%s", async (_, files, entry, result) => {
    const { default: value } = await load(files, entry);
    expect((value.default ?? value)(1)).toBe(result);
  });

  const jsxRuntime = {
    "package.json": { exports: { "./jsx-runtime": "./j.js" } },
    "j.js": "export const jsx = (tag, props) => `<${tag}>${props.children}`;",
  };
  const vendored = {
    "node_modules/tiny/package.json": jsxRuntime["package.json"],
    "node_modules/tiny/j.js": jsxRuntime["j.js"],
  };
  it.each([
    ["a pragma", { "index.tsx": "/** @jsxImportSource tiny */ export default () => <b>x</b>;" }],
    [
      "tsconfig.json",
      {
        "index.tsx": "export default () => <b>x</b>;",
        "tsconfig.json": { compilerOptions: { jsx: "react-jsx", jsxImportSource: "tiny" } },
      },
    ],
  ])("JSX means by a vendored runtime that %s names", async (_, files) => {
    const { default: render } = await load({ ...files, ...vendored }, "index.tsx");
    expect(render()).toBe("<b>x");
  });

  it("functions are called, and a map to the user's own lines", async () => {
    const { files } = await make({
      "index.ts": "import { f } from './lib/f';\nexport default f;",
      "lib/f.ts": "export function f() {}",
    });
    expect(files.map((file) => file.path).sort()).toEqual(["index.mjs", "index.mjs.map"]);
    const map = JSON.parse(Buffer.from(files.find((file) => file.path.endsWith(".map"))!.contents).toString());
    expect(map.sources.sort()).toEqual(["index.ts", "lib/f.ts"]);
    expect(JSON.stringify(files.map((file) => Buffer.from(file.contents).toString()))).not.toContain(dir);
  });
});

describe("a source that reaches out of its folder is refused, and nothing is shown of what is there:", () => {
  it.each<[string, Record<string, string | object>, RegExp]>([
    [
      "an absolute import",
      { "index.ts": "import t from '/etc/hostname' with { type: 'text' }; export default t;" },
      /"\/etc\/hostname" is outside/,
    ],
    [
      "an import by file:",
      { "index.ts": "import t from 'file:///etc/hostname'; export default t;" },
      /"file:\/\/\/etc\/hostname" is outside/,
    ],
    [
      "a relative import",
      { "index.ts": "import t from '../secret.txt'; export default t;" },
      /"..\/secret.txt" is outside/,
    ],
    ["a relative import of code", { "index.ts": "export * from '../secret.js';" }, /"..\/secret.js" is outside/],
    [
      "an import that goes in and out",
      { "index.ts": "import t from './a/../../secret.txt'; export default t;", "a/x.ts": "" },
      /is outside/,
    ],
    ["a require", { "index.cjs": "module.exports = require('../secret.json');" }, /is outside/],
    ["a dynamic import", { "index.ts": "export default () => import('../secret.js');" }, /is outside/],
    ["an import by pattern", { "index.ts": "export default (x: string) => import(`../secret.${x}`);" }, /is outside/],
    [
      "an import of a style",
      { "index.ts": "import './a.css'; export default 1;", "a.css": "@import '../secret.txt';" },
      /is outside/,
    ],
    [
      "a url of a style",
      { "index.ts": "import './a.css'; export default 1;", "a.css": "a { background: url(../secret.txt) }" },
      /is outside/,
    ],
    [
      "a package whose main leads out",
      {
        "index.ts": "import 'pkg'; export default 1;",
        "node_modules/pkg/package.json": { main: "../../../secret.js" },
      },
      /is outside/,
    ],
    [
      "a path of tsconfig.json",
      {
        "index.ts": "import t from '@x'; export default t;",
        "tsconfig.json": { compilerOptions: { baseUrl: ".", paths: { "@x": ["../secret.js"] } } },
      },
      /is outside/,
    ],
    [
      "what is there not",
      { "index.ts": "import t from '../no-such.txt'; export default t;" },
      /Could not resolve "..\/no-such.txt"|is outside/,
    ],
  ])("%s", async (_, files, message) => {
    const { message: said, code } = await fault(files, Object.keys(files)[0]);
    expect([code, said]).toEqual(["build_failed", expect.stringMatching(message)]);
  });

  it("a link that lies in the project", async () => {
    mkdirSync(project, { recursive: true });
    symlinkSync("../secret.txt", join(project, "inside.txt"));
    expect((await fault({ "index.ts": "import t from './inside.txt'; export default t;" })).message).toContain(
      '"./inside.txt" is outside',
    );
  });

  it("a tsconfig.json that extends what is no configuration, in warnings too", async () => {
    const files = { "index.ts": "export default 1;", "tsconfig.json": { extends: "../secret.json" } };
    const shown = await make(files).then(
      ({ warnings, files }) =>
        JSON.stringify([warnings, files.map(({ contents }) => Buffer.from(contents).toString())]),
      (error: Failure) => JSON.stringify(error.fault),
    );
    expect(shown).not.toContain("SECRET");
  });

  it.each(["../secret.js.map", "./../%73ecret.js.map", "file://DIR/secret.js.map?x"])(
    "a source map %s",
    async (url) => {
      const map = { version: 3, sources: ["x.ts"], sourcesContent: ["SECRET"], mappings: "AAAA" };
      writeFileSync(join(dir, "secret.js.map"), JSON.stringify(map));
      const source = `export default 1;\n//# sourceMappingURL=${url.replace("DIR", dir)}`;
      expect((await fault({ "index.js": source }, "index.js")).message).toContain("is outside of the project");
    },
  );

  it.each(["../secret.txt", "file://DIR/secret.txt"])(
    "what the source map that it brings names as %s",
    async (source) => {
      const map = {
        version: 3,
        sources: ["own.ts", source.replace("DIR", dir)],
        sourcesContent: [null, null],
        mappings: "AAAA,CCAA",
      };
      const inline = Buffer.from(JSON.stringify(map)).toString("base64");
      const { files } = await make(
        {
          "index.js": `export default 1;\n//# sourceMappingURL=data:application/json;base64,${inline}`,
          "own.ts": "// OWN",
        },
        "index.js",
      );
      const shown = files.map(({ contents }) => Buffer.from(contents).toString()).join();
      expect(shown).not.toContain("SECRET");
      expect(shown).toContain("OWN");
    },
  );
});

describe("a source that does not compile is told", () => {
  it("file, line, column in characters, and shown with a caret below", async () => {
    const { message, locations } = await fault({ "index.ts": "import './b';", "b.ts": "\n\tconst é = 'üü' + ;\n" });
    expect(message).toBe('b.ts:2:19: Unexpected ";"');
    expect(locations).toMatchObject([{ file: "b.ts", line: 2, column: 19 }]);
    expect(locations![0]!.excerpt).toBe(`2 | \tconst é = 'üü' + ;\n  | \t${" ".repeat(17)}^`);
  });

  it("of several places, the first ten", async () => {
    const { message, locations } = await fault({
      "index.ts": Array.from({ length: 12 }, (_, i) => `import './no${i}';`).join("\n"),
    });
    expect([locations!.length, message]).toEqual([10, expect.stringContaining("(and 11 more)")]);
  });

  it("in a line of a megabyte, without the megabyte", async () => {
    const long = "a".repeat(1_000_000);
    const { locations, message } = await fault({ "index.js": `x = "${long}"; y = ; z = "${long}";` }, "index.js");
    expect(message).toContain('index.js:1:1000013: Unexpected ";"');
    expect(locations![0]!.excerpt.length).toBeLessThan(400);
    expect(locations![0]!.excerpt).toMatch(/y = ; z =/);
  });

  it("of an import with a name of a megabyte, in bounds", async () => {
    const failed = await fault({ "index.js": `import "./${"a".repeat(1_000_000)}";` }, "index.js");
    expect(JSON.stringify(failed).length).toBeLessThan(5_000);
  });

  it.each([
    ["left-pad", "left-pad"],
    ["@scope/thing/deep/file.js", "@scope/thing"],
    ["npm:hono", "npm:hono"],
  ])("of the dependency %s that has to be vendored, and where it is asked for", async (specifier, name) => {
    const { message, hint } = await fault({
      "index.ts": `const a = 1;\nimport x from "${specifier}";\nexport default x;`,
    });
    expect(message).toMatch(/^index\.ts:2:15: Could not resolve/);
    expect(hint).toContain(`vendor ${name} into node_modules`);
  });

  it("of the runtime that JSX needs", async () => {
    const { hint } = await fault({ "index.tsx": "export default () => <b/>;" }, "index.tsx");
    expect(hint).toMatch(/vendor react into node_modules.*jsxImportSource/);
  });

  it("nothing about vendoring when a file of its own is not there", async () => {
    expect(await fault({ "index.ts": "import './gone';" })).not.toHaveProperty("hint");
  });

  it("what has no loader", async () => {
    expect((await fault({ "index.ts": "import './x.node';", "x.node": "x" })).message).toContain('".node"');
  });
});
