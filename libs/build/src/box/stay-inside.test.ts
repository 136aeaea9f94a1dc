import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Files, SourceFolder } from "../testing/source-folder.ts";
import type { Failure } from "./failure.ts";

let at: SourceFolder;
beforeEach(() => {
  at = new SourceFolder();
});
afterEach(() => at.remove());

describe("a source that reaches out of its folder is refused, and nothing is shown of what is there:", () => {
  it.each<[string, Files, RegExp]>([
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
    const { message: said, code } = await at.fault(files, Object.keys(files)[0]);
    expect([code, said]).toEqual(["build_failed", expect.stringMatching(message)]);
  });

  it("a link that lies in the project", async () => {
    mkdirSync(at.project, { recursive: true });
    symlinkSync("../secret.txt", join(at.project, "inside.txt"));
    expect((await at.fault({ "index.ts": "import t from './inside.txt'; export default t;" })).message).toContain(
      '"./inside.txt" is outside',
    );
  });

  it("a tsconfig.json that extends what is no configuration, in warnings too", async () => {
    const files = { "index.ts": "export default 1;", "tsconfig.json": { extends: "../secret.json" } };
    const shown = await at.make(files).then(
      ({ warnings, files }) => JSON.stringify([warnings, files.map(({ content }) => Buffer.from(content).toString())]),
      (error: Failure) => JSON.stringify(error.fault),
    );
    expect(shown).not.toContain("SECRET");
  });

  it.each(["../secret.js.map", "./../%73ecret.js.map", "file://DIR/secret.js.map?x"])(
    "a source map %s",
    async (url) => {
      const map = { version: 3, sources: ["x.ts"], sourcesContent: ["SECRET"], mappings: "AAAA" };
      writeFileSync(join(at.dir, "secret.js.map"), JSON.stringify(map));
      const source = `export default 1;\n//# sourceMappingURL=${url.replace("DIR", at.dir)}`;
      expect((await at.fault({ "index.js": source }, "index.js")).message).toContain("is outside of the project");
    },
  );

  it.each(["../secret.txt", "file://DIR/secret.txt"])(
    "what the source map that it brings names as %s",
    async (source) => {
      const map = {
        version: 3,
        sources: ["own.ts", source.replace("DIR", at.dir)],
        sourcesContent: [null, null],
        mappings: "AAAA,CCAA",
      };
      const inline = Buffer.from(JSON.stringify(map)).toString("base64");
      const { files } = await at.make(
        {
          "index.js": `export default 1;\n//# sourceMappingURL=data:application/json;base64,${inline}`,
          "own.ts": "// OWN",
        },
        "index.js",
      );
      const shown = files.map(({ content }) => Buffer.from(content).toString()).join();
      expect(shown).not.toContain("SECRET");
      expect(shown).toContain("OWN");
    },
  );
});
