import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** bin/mayfly in a clone of its own, with a Node that says how it was called. */
describe("the shim", () => {
  let clone: string;
  beforeEach(() => {
    clone = realpathSync(mkdtempSync(join(tmpdir(), "mayfly cli ")));
    for (const dir of ["bin", "path", "node_modules/.bin"]) mkdirSync(join(clone, dir), { recursive: true });
    copyFileSync(resolve(import.meta.dirname, "../../../bin/mayfly"), join(clone, "bin/mayfly"));
  });
  afterEach(() => rmSync(clone, { recursive: true, force: true }));

  function node(path: string, version: string): void {
    const script = `#!/bin/sh\n[ "$1" = -p ] && { echo ${version}; exit; }\nprintf '%s\\n' "$0" "$@"\n`;
    writeFileSync(join(clone, path), script);
    chmodSync(join(clone, path), 0o755);
  }
  const installed = () => mkdirSync(join(clone, "node_modules/commander"), { recursive: true });
  const run = (file = join(clone, "bin/mayfly")) =>
    spawnSync(file, ["ls", "a b"], { encoding: "utf8", env: { PATH: `${join(clone, "path")}:/usr/bin:/bin` } });

  it("runs the clone's own Node with the arguments as they are, also through a link", () => {
    installed();
    node("node_modules/.bin/node", "24");
    node("path/node", "20");
    symlinkSync(join(clone, "bin/mayfly"), join(clone, "path/mf"));
    for (const file of [join(clone, "bin/mayfly"), join(clone, "path/mf")]) {
      const [own, , main, ...args] = run(file).stdout.trimEnd().split("\n");
      expect(own).toBe(join(clone, "node_modules/.bin/node"));
      expect(main).toBe(join(clone, "apps/cli/src/main.ts"));
      expect(args).toEqual(["ls", "a b"]);
    }
  });

  it("takes the machine's Node when it is new enough, and says what to do when it is not", () => {
    installed();
    node("path/node", "26");
    expect(run().stdout).toContain(join(clone, "path/node"));
    node("path/node", "20");
    expect(run()).toMatchObject({ status: 78, stdout: "", stderr: expect.stringContaining(`npm ci in ${clone}`) });
  });

  it("says what to do where nothing is installed", () => {
    node("path/node", "24");
    expect(run()).toMatchObject({ status: 78, stdout: "", stderr: expect.stringContaining(`npm ci in ${clone}`) });
  });
});
