import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

let mayfly: System;
let dir: string;
beforeAll(async () => {
  mayfly = await startSystem();
  dir = mkdtempSync(join(tmpdir(), "mayfly-dockerfiles-"));
}, 300_000);
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await mayfly?.stop();
}, 60_000);

/** A folder of files as a tar, made by somebody else's tar. */
function context(name: string, files: Record<string, string>): Buffer {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name, path)), { recursive: true });
    writeFileSync(join(dir, name, path), content);
  }
  return execFileSync("tar", ["-C", join(dir, name), "-czf", "-", "."], { maxBuffer: 64 << 20 });
}

describe("a Dockerfile", () => {
  it("alone becomes a function", async () => {
    const source = [
      "# what it needs is written into it",
      "FROM mayfly/node:24",
      "ENV GREETING=hello",
      "COPY <<index.mjs /app/",
      "export default () => new Response('$GREETING from a Dockerfile');",
      "index.mjs",
    ];
    const answer = await mayfly.deploy("alone", `${source.join("\n")}\n`);
    expect(answer.status, await answer.clone().text()).toBe(201);
    expect(await (await mayfly.call("alone")).text()).toBe("hello from a Dockerfile");
  });

  it("with its context becomes a function; what .dockerignore names stays out", async () => {
    const tar = context("project", {
      Dockerfile: "FROM mayfly/node:24 AS files\nCOPY . /all/\nFROM mayfly/node:24\nCOPY --from=files /all/src /app\n",
      ".dockerignore": "**/*.log\n",
      "src/index.mjs":
        "import { readdirSync } from 'node:fs';\nexport default () => Response.json(readdirSync('/app').sort());\n",
      "src/debug.log": "much",
      "src/data.json": "{}",
    });
    const answer = await mayfly.deploy("project", tar);
    expect(answer.status, await answer.clone().text()).toBe(201);
    expect(await (await mayfly.call("project")).json()).toEqual(["data.json", "index.mjs"]);
  });

  it("that is wrong says where, and what is written there", async () => {
    const answer = await mayfly.deploy("wrong", "FROM mayfly/node:24\nCOPPY a b\n");
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      code: "build_failed",
      detail: expect.stringContaining("did you mean COPY?"),
      locations: [{ file: "Dockerfile", line: 2, excerpt: expect.stringContaining(">>> COPPY a b") }],
    });
  });
});
