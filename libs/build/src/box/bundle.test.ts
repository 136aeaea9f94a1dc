import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Files, SourceFolder } from "../testing/source-folder.ts";

let at: SourceFolder;
beforeEach(() => {
  at = new SourceFolder();
});
afterEach(() => at.remove());

describe("a bundle holds what", () => {
  it.each<[string, Files, string, unknown]>([
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
    const { default: value } = await at.load(files, entry);
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
    const { default: render } = await at.load({ ...files, ...vendored }, "index.tsx");
    expect(render()).toBe("<b>x");
  });

  it("functions are called, and a map to the user's own lines", async () => {
    const { files } = await at.make({
      "index.ts": "import { f } from './lib/f';\nexport default f;",
      "lib/f.ts": "export function f() {}",
    });
    expect(files.map((file) => file.path).sort()).toEqual(["index.mjs", "index.mjs.map"]);
    const map = JSON.parse(Buffer.from(files.find((file) => file.path.endsWith(".map"))!.content).toString());
    expect(map.sources.sort()).toEqual(["index.ts", "lib/f.ts"]);
    expect(JSON.stringify(files.map((file) => Buffer.from(file.content).toString()))).not.toContain(at.dir);
  });
});

describe("a source that does not compile is told", () => {
  it("file, line, column in characters, and shown with a caret below", async () => {
    const { message, locations } = await at.fault({ "index.ts": "import './b';", "b.ts": "\n\tconst é = 'üü' + ;\n" });
    expect(message).toBe('b.ts:2:19: Unexpected ";"');
    expect(locations).toMatchObject([{ file: "b.ts", line: 2, column: 19 }]);
    expect(locations![0]!.excerpt).toBe(`2 | \tconst é = 'üü' + ;\n  | \t${" ".repeat(17)}^`);
  });

  it("of several places, the first ten", async () => {
    const { message, locations } = await at.fault({
      "index.ts": Array.from({ length: 12 }, (_, i) => `import './no${i}';`).join("\n"),
    });
    expect([locations!.length, message]).toEqual([10, expect.stringContaining("(and 11 more)")]);
  });

  it("in a line of a megabyte, without the megabyte", async () => {
    const long = "a".repeat(1_000_000);
    const { locations, message } = await at.fault({ "index.js": `x = "${long}"; y = ; z = "${long}";` }, "index.js");
    expect(message).toContain('index.js:1:1000013: Unexpected ";"');
    expect(locations![0]!.excerpt.length).toBeLessThan(400);
    expect(locations![0]!.excerpt).toMatch(/y = ; z =/);
  });

  it("of an import with a name of a megabyte, in bounds", async () => {
    const failed = await at.fault({ "index.js": `import "./${"a".repeat(1_000_000)}";` }, "index.js");
    expect(JSON.stringify(failed).length).toBeLessThan(5_000);
  });

  it.each([
    ["left-pad", "left-pad"],
    ["@scope/thing/deep/file.js", "@scope/thing"],
    ["npm:hono", "npm:hono"],
  ])("of the dependency %s that has to be vendored, and where it is asked for", async (specifier, name) => {
    const { message, hint } = await at.fault({
      "index.ts": `const a = 1;\nimport x from "${specifier}";\nexport default x;`,
    });
    expect(message).toMatch(/^index\.ts:2:15: Could not resolve/);
    expect(hint).toContain(`vendor ${name} into node_modules`);
  });

  it("of the runtime that JSX needs", async () => {
    const { hint } = await at.fault({ "index.tsx": "export default () => <b/>;" }, "index.tsx");
    expect(hint).toMatch(/vendor react into node_modules.*jsxImportSource/);
  });

  it("nothing about vendoring when a file of its own is not there", async () => {
    expect(await at.fault({ "index.ts": "import './gone';" })).not.toHaveProperty("hint");
  });

  it("what has no loader", async () => {
    expect((await at.fault({ "index.ts": "import './x.odd';", "x.odd": "x" })).message).toContain('".odd"');
  });
});
