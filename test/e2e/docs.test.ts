import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY, type System, startSystem } from "./system.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** The registry of this machine, as its npm knows it: boxes know no other than the public one. */
const registry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();

let mayfly: System;
let dir: string;
beforeAll(async () => {
  const env = { MAYFLY_BUILD_ENV: `NPM_CONFIG_REGISTRY=${registry}` };
  mayfly = await startSystem({ ...env, MAYFLY_BUILD_CA: "/etc/ssl/certs/ca-certificates.crt" });
  dir = mkdtempSync(join(tmpdir(), "mayfly-docs-"));
  for (const name of ["bin", "docs"]) symlinkSync(join(ROOT, name), join(dir, name));
  writeFileSync(join(dir, "key"), KEY);
}, 300_000);
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await mayfly?.stop();
}, 60_000);

const BLOCKS = [...readFileSync(join(ROOT, "docs/builds.md"), "utf8").matchAll(/^```sh\n(.*?)^```$/gms)];

/** As a person pastes it into a shell in the clone; what any of its commands cannot do ends it. */
async function pasted(text: string): Promise<string> {
  const here = text.replaceAll("localhost:8080", new URL(mayfly.url).host).replaceAll("/var/lib/mayfly", dir);
  const env = { ...process.env, MAYFLY_URL: mayfly.url, MAYFLY_KEY: KEY };
  const args = ["-eo", "pipefail", "-c", here.replaceAll("curl -sS", "curl --fail -sS")];
  const { stdout, stderr } = await promisify(execFile)("bash", args, { cwd: dir, env });
  return stdout + stderr;
}

/** What each block is about, and what is seen after it. */
const SEEN = [
  ["an image and its history", /sha256:[0-9a-f]{64}.*COPY index\.mjs/s],
  ["a function of it", /"version":1.*hi you\n.*\/fn\/hi2/s],
  ["standard input", /(sha256:[0-9a-f]{64}\s.*){3}/s],
  ["a secret", /#1 [\d.]+ 8\n/],
  ["over HTTP", /data: .*"step":"result".*"tags":\["hi:4"\].*"status":"done"/s],
  ["a Node project", /"rule":"no-var"/],
] as const;

describe("docs/builds.md", () => {
  it("has no command that is not pasted here", () => expect(BLOCKS).toHaveLength(SEEN.length));

  it.each(SEEN.map(([what, seen], at) => [what, seen, at] as const))(
    "has commands that work: %s",
    async (_, seen, at) => {
      expect(await pasted(BLOCKS[at]![1]!)).toMatch(seen);
    },
    180_000,
  );
});
