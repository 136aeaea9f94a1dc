import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuildRecord } from "@mayfly/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

/** The registry of this machine, as its npm knows it: boxes know no other than the public one. */
const registry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

let mayfly: System;
let dir: string;
beforeAll(async () => {
  mayfly = await startSystem({
    MAYFLY_BUILD_ENV: `CANARY=in-no-image,NPM_CONFIG_REGISTRY=${registry}`,
    MAYFLY_BUILD_CA: CERTIFICATES,
  });
  dir = mkdtempSync(join(tmpdir(), "mayfly-projects-"));
}, 300_000);
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await mayfly?.stop();
}, 60_000);

const MANIFEST = { name: "p", version: "1.0.0", dependencies: { "is-odd": "3.0.1", ms: "2.1.3" } };
/** As npm writes it, without the registry's name: npm asks its own. */
const LOCK = {
  ...{ name: "p", version: "1.0.0", lockfileVersion: 3, requires: true },
  packages: {
    "": MANIFEST,
    "node_modules/is-number": {
      version: "6.0.0",
      integrity: "sha512-Wu1VHeILBK8KAWJUAiSZQX94GmOE45Rg6/538fKwiloUu21KncEkYGPqob2oSZ5mUT73vLGrHQjKw3KMPwfDzg==",
    },
    "node_modules/is-odd": {
      version: "3.0.1",
      integrity: "sha512-CQpnWPrDwmP1+SMHXZhtLtJv90yiyVfluGsX5iNCVkrhQtU3TQHsUWPG9wkdk9Lgd5yNpAg9jQEo90CBaXgWMA==",
      dependencies: { "is-number": "^6.0.0" },
    },
    "node_modules/ms": {
      version: "2.1.3",
      integrity: "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
    },
  },
};

function project(name: string, files: Record<string, string | object>): Buffer {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name, path)), { recursive: true });
    writeFileSync(join(dir, name, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return execFileSync("tar", ["-C", join(dir, name), "-czf", "-", "."]);
}

async function streamed(name: string, source: Buffer, query = ""): Promise<BuildRecord[]> {
  const answer = await mayfly.deploy(name, source, query, { accept: "application/x-ndjson" });
  return (await answer.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as BuildRecord);
}
const done = (records: readonly BuildRecord[], step: string) =>
  records.find((record) => record.step === step && record.status === "done");

describe("a project", () => {
  const files = {
    "package.json": MANIFEST,
    "package-lock.json": LOCK,
    "page.html": "<p>",
    "index.ts":
      'import odd from "is-odd"; import ms from "ms"; import { readFileSync } from "node:fs"; const page = readFileSync("page.html", "utf8"); export default () => Response.json([odd(3), ms("1s"), page, process.env.CANARY ?? null]);',
  };

  it("gets its dependencies by its lockfile, once; what the operator gives npm reaches no function", async () => {
    const first = await streamed("p", project("p", files));
    expect(first.at(-1), JSON.stringify(first.slice(-4))).toMatchObject({ step: "result", status: "done" });
    expect(first.map((record) => record.msg).join("\n")).toMatch(/added 3 packages/);
    expect(await (await mayfly.call("p")).json()).toEqual([true, 1000, "<p>", null]);

    const second = await streamed("p", project("p", { ...files, "index.ts": `${files["index.ts"]}//` }));
    expect(second.at(-1)).toMatchObject({ step: "result", version: 2 });
    expect(done(second, "install")).toMatchObject({ msg: "CACHED" });
  }, 90_000);

  it("of 143 packages, some of which lie beside the bundle, answers; its next version installs nothing", async () => {
    const example = resolve(import.meta.dirname, "../../docs/examples/node-project");
    const names = ["package.json", "package-lock.json", "index.mjs"];
    const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(example, name), "utf8")]));
    const first = await streamed("lint", project("lint", texts));
    expect(first.at(-1), JSON.stringify(first.slice(-4))).toMatchObject({ step: "result", status: "done" });
    expect(first.map((record) => record.msg).join("\n")).toMatch(/added 143 packages/);
    const asked = async () =>
      (await mayfly.call("lint", { method: "POST", body: "var a = 1;\nif (b == 2) {}" })).json();
    const rules = ["no-var", "no-unused-vars", "eqeqeq"];
    expect(((await asked()) as { rule: string }[]).map(({ rule }) => rule)).toEqual(rules);

    const changed = texts["index.mjs"]!.replace(', eqeqeq: "error"', "");
    const second = await streamed("lint", project("lint", { ...texts, "index.mjs": changed }));
    expect(second.at(-1)).toMatchObject({ step: "result", version: 2 });
    expect(done(second, "install")).toMatchObject({ msg: "CACHED" });
    expect(await asked()).toHaveLength(2);
  }, 120_000);

  it("runs scripts while it is installed when that was asked for, and not otherwise", async () => {
    const postinstall = `node -e "fs.mkdirSync('node_modules/made'), fs.writeFileSync('node_modules/made/index.js', 'module.exports = 7')"`;
    const source = project("scripted", {
      "package.json": { ...MANIFEST, scripts: { postinstall } },
      "index.js": 'import made from "made"; export default () => Response.json(made);',
    });
    const without = await mayfly.deploy("scripted", source);
    expect([without.status, ((await without.json()) as { detail: string }).detail]).toEqual([
      422,
      expect.stringContaining('Could not resolve "made"'),
    ]);
    expect((await mayfly.deploy("scripted", source, "install-scripts=on")).status).toBe(201);
    expect(await (await mayfly.call("scripted")).json()).toBe(7);
  }, 60_000);

  it("has coreutils for scripts of packages while it is installed, and not when it runs", async () => {
    // Its install script is a program that begins with `#!/usr/bin/env node`; it takes the addon that came along.
    const dependencies = { ms: "2.1.3", bufferutil: "4.0.9" };
    const postinstall = [
      "mkdir -p node_modules/made/lib && cp -a node_modules/ms/index.js node_modules/made/lib/ms.js",
      `cd node_modules/made && ln -s lib/ms.js index.js && touch gone && rm -rf gone && test "$(ls | sort | tr '\\n' ' ')" = "index.js lib "`,
    ].join(" && ");
    const source = project("coreutils", {
      "package.json": { name: "x", version: "1.0.0", dependencies, scripts: { postinstall } },
      "index.js": `import ms from "made"; import { mask } from "bufferutil"; import { existsSync } from "node:fs";
        const to = Buffer.alloc(2);
        mask(Buffer.from([1, 2]), Buffer.from([255, 255, 255, 255]), to, 0, 2);
        export default () => Response.json([ms("1s"), [...to], existsSync("/usr/bin/env")]);`,
    });
    const deployed = await mayfly.deploy("coreutils", source, "install-scripts=on");
    expect(deployed.status, JSON.stringify(await deployed.json())).toBe(201);
    expect(await (await mayfly.call("coreutils")).json()).toEqual([1000, [254, 253], false]);
  }, 60_000);

  it("that is cancelled while npm installs leaves no box", async () => {
    const packages = { name: "x", version: "1.0.0", dependencies: { typescript: "5.9.3", eslint: "9.39.1" } };
    const source = project("cancelled", { "package.json": packages, "index.js": "" });
    const begun = await mayfly.api("/v1/functions/cancelled", { method: "PUT", body: source });
    const { id } = ((await begun.json()) as { build: { id: string } }).build;
    const boxes = () =>
      readdirSync("/sys/fs/cgroup/", { recursive: true, encoding: "utf8" }).filter((path) =>
        path.includes(`${id}-run`),
      );
    await until(() => boxes().length > 0);
    expect(await (await mayfly.api(`/v1/builds/${id}`, { method: "DELETE" })).json()).toMatchObject({
      status: "canceled",
    });
    await until(() => boxes().length === 0 && readdirSync(join(mayfly.home, "boxes/scratch")).length === 0);
  }, 60_000);

  it("that asks for what is not there is told in npm's words", async () => {
    const source = project("wrong", { "package.json": { dependencies: { ms: "99.0.0" } }, "index.js": "" });
    const answer = await mayfly.deploy("wrong", source);
    expect(answer.status).toBe(422);
    const { detail, hint } = (await answer.json()) as { detail: string; hint: string };
    expect(detail).toContain("npm install failed with exit code 1: notarget No matching version found for ms@99.0.0");
    expect(hint).toContain("npm error code ETARGET");
  }, 60_000);
});

describe("what the operator gives builds", () => {
  it("is there in RUN and nowhere in the image: not in its files, config or history", async () => {
    const print = `console.log("here:", process.env.CANARY, require("fs").readFileSync(process.env.NODE_EXTRA_CA_CERTS, "latin1").length > 1000)`;
    const dockerfile = [
      "FROM mayfly/node:24",
      "USER 0",
      `RUN ["node", "-e", ${JSON.stringify(print)}]`,
      `RUN ["node", "-e", "const fs = require('fs'); for (const f of fs.readdirSync('/')) if (f.startsWith('.mayfly')) fs.chownSync('/' + f, 1000, 1000)"]`,
      "COPY <<index.mjs /app/",
      'import { readdirSync } from "node:fs"; export default () => Response.json([process.env.CANARY ?? null, ...readdirSync("/").filter((name) => name.startsWith("."))]);',
      "index.mjs",
      "",
    ].join("\n");
    const records = await streamed("run", Buffer.from(dockerfile));
    expect(records.map((record) => record.msg).join("\n")).toContain("here: in-no-image true");
    expect(await (await mayfly.call("run")).json()).toEqual([null]);
    const { versions } = (await (await mayfly.api("/v1/functions/run/versions")).json()) as { versions: object[] };
    expect(JSON.stringify(versions)).not.toContain("in-no-image");
    const places = ["images", "build-cache"].map((folder) => join(mayfly.home, folder));
    expect(spawnSync("grep", ["-rl", "in-no-image", ...places], { encoding: "utf8" }).stdout).toBe("");
  }, 60_000);
});

async function until(is: () => boolean): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 50) {
    try {
      if (is()) return;
    } catch {
      // A folder went while it was read.
    }
    await sleep(50);
  }
  throw new Error(`not in time\n${mayfly.output().slice(-3000)}`);
}
