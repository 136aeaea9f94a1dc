import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readFolders } from "./folders.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mayfly-conformance-folders-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(path: string, text = "FROM scratch\n"): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

/** Name, context and Dockerfile of each, below the folder. */
const read = () =>
  readFolders(dir).map(({ name, context, dockerfile }) =>
    [name, context, dockerfile].map((text) => String(text).replace(`${dir}/`, "")).join(" "),
  );

describe("somebody's folder of cases", () => {
  it("is read at any depth, each case as docker build would be told", () => {
    put("a/Dockerfile");
    put("a/file");
    put("group/apart/Dockerfile");
    put("group/apart/context/file");
    put("group/apart/case.json", "{}");
    put("group/inner/context/Dockerfile");
    put("group/with-a-folder/Dockerfile");
    put("group/with-a-folder/context/x");
    put("group/with-a-folder/more");
    put("named/case.json", '{"dockerfile": "sub/My.dockerfile"}');
    put("named/sub/My.dockerfile");
    put(".git/config");
    expect(read()).toEqual([
      "a a Dockerfile",
      `group/apart group/apart/context group/apart/Dockerfile`,
      "group/inner group/inner/context Dockerfile",
      "group/with-a-folder group/with-a-folder Dockerfile",
      "named named sub/My.dockerfile",
    ]);
  });

  it("may be a case itself", () => {
    put("Dockerfile");
    expect(readFolders(dir)).toMatchObject([{ context: dir, dockerfile: "Dockerfile", fails: null }]);
  });

  it("has settings", () => {
    const settings = {
      ...{ about: "x", target: "t", args: { A: "1" }, labels: { l: "2" }, secrets: { s: "3" }, fails: true },
      ...{ differs: { docker: "why" }, expected: ["!x"] },
    };
    put("a/Dockerfile");
    put("a/case.json", JSON.stringify(settings));
    expect(readFolders(dir)).toMatchObject([{ name: "a", ...settings }]);
  });

  it.each([
    ["a/case.json", '{"arg": {}}', /a\/case\.json: .*arg/s],
    ["a/case.json", '{"differs": {"podman": "x"}}', /a\/case\.json: .*podman/s],
    ["a/case.json", "{", /a\/case\.json: /],
    ["notes/text", "", /notes: no case is in it/],
  ])("with %s %s is refused by its path", (path, text, message) => {
    put(path, text);
    expect(() => readFolders(dir)).toThrow(message);
  });

  it("that is not there is refused", () => {
    expect(() => readFolders(join(dir, "none"))).toThrow("there is no such folder");
  });
});
