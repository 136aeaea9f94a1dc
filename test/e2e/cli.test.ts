import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY, type System, startSystem } from "./system.ts";

const BIN = resolve(import.meta.dirname, "../../bin/mayfly");

describe("the command line", () => {
  let mayfly: System;
  let dir: string;
  beforeAll(async () => {
    mayfly = await startSystem();
    dir = mkdtempSync(join(tmpdir(), "mayfly-cli-"));
    writeFileSync(
      join(dir, "greet.ts"),
      "export default async (r: Request) => { console.log('called'); return new Response(`hi ${await r.text()}`); };\n",
    );
  }, 300_000);
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await mayfly?.stop();
  }, 60_000);

  async function run(args: string[], options: { input?: string; env?: Record<string, string> } = {}) {
    const env = { ...process.env, MAYFLY_URL: mayfly.url, MAYFLY_KEY: KEY, NO_COLOR: "1", ...options.env };
    const child = spawn(BIN, args, { stdio: ["pipe", "pipe", "pipe"], env });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.stdin.end(options.input ?? "");
    const [code] = await once(child, "close");
    return { code, out, err };
  }

  it("deploys a file, with progress on stderr and the URL alone on stdout", async () => {
    const { code, out, err } = await run(["deploy", join(dir, "greet.ts"), "--memory", "64MiB", "--env", "A=1"]);
    expect([code, out]).toEqual([0, `${mayfly.url}/fn/greet\n`]);
    expect(err).toMatch(/bundle[\s\S]*detect[\s\S]*greet v1 is live/);
  });

  it("deploys a folder without what does not belong, and the same folder again as the same version", async () => {
    const project = join(dir, "project");
    mkdirSync(join(project, "node_modules", "junk"), { recursive: true });
    writeFileSync(join(project, "index.js"), "export default () => new Response('folder');");
    writeFileSync(join(project, "node_modules", "junk", "index.js"), "x".repeat(1000));
    expect((await run(["deploy", project, "--name", "folder"])).code).toBe(0);
    const again = await run(["deploy", project, "--name", "folder"]);
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("folder v1 is live")]);
  });

  it("calls, and shows answer, log and bill", async () => {
    const called = await run(["invoke", "greet", "-d", "-", "--bill"], { input: "you" });
    expect([called.code, called.out]).toEqual([0, "hi you"]);
    expect(called.err).toContain("This call cost");
    const id = /inv_[0-9a-f]{32}/.exec(called.err)![0];
    expect((await run(["logs", id])).out).toBe("called\n");
    expect((await run(["logs", "greet"])).out).toBe("called\n");
    expect((await run(["bill", id])).out).toMatch(/time \(init and handler are billed\)[\s\S]*memory peak[\s\S]*total/);
    expect(JSON.parse((await run(["bill", id, "--json"])).out)).toMatchObject({
      id,
      bill: { total: { currency: "USD" } },
    });
  });

  it("lists, inspects, sums, rolls back and removes", async () => {
    expect((await run(["ls"])).out).toMatch(/^FUNCTION +LIVE[\s\S]*greet +v1 +fetch +64 MiB/);
    expect(JSON.parse((await run(["inspect", "greet"])).out)).toMatchObject({
      function: "greet",
      settings: { env: { A: "1" } },
    });
    expect((await run(["bills", "--by", "function"])).out).toMatch(/greet +\d+ +0\.0000/);
    expect((await run(["bills", "--format", "csv", "--function", "greet"])).out.split("\r\n")[0]).toContain(
      "id,attempt,function",
    );
    writeFileSync(join(dir, "greet.ts"), "export default () => new Response('second');\n");
    expect((await run(["deploy", join(dir, "greet.ts")])).err).toContain("greet v2 is live");
    expect((await run(["rollback", "greet"])).err).toContain("greet v1 is live");
    expect((await run(["versions", "greet"])).out).toMatch(/v2[\s\S]*v1/);
    expect((await run(["rm", "greet"])).code).toBe(0);
    expect((await run(["ls"])).out).not.toContain("greet");
  });

  it("says what is wrong, what to do, and ends with the right status", async () => {
    const misspelt = await run(["inspect", "foldre"]);
    expect([misspelt.code, misspelt.err]).toEqual([1, expect.stringContaining("did you mean folder?")]);
    expect((await run(["ls"], { env: { MAYFLY_KEY: "wrong" } })).code).toBe(77);
    const away = await run(["ls"], { env: { MAYFLY_URL: "http://127.0.0.1:1" } });
    expect([away.code, away.err]).toEqual([69, expect.stringContaining("npm start")]);
    expect((await run(["deploy", "/no/such/file"])).code).toBe(2);
    expect((await run(["deploy", join(dir, "greet.ts"), "--memory", "lots"])).code).toBe(2);
    expect((await run(["frobnicate"])).code).toBe(2);
    writeFileSync(join(dir, "broken.ts"), "export default () => {\n");
    const broken = await run(["deploy", join(dir, "broken.ts")]);
    expect([broken.code, broken.out]).toEqual([1, ""]);
    expect(broken.err).toMatch(/broken\.ts:2:1/);
  });

  it("explains itself, and looks at the host", async () => {
    expect((await run(["--help"])).out).toMatch(/Exit status[\s\S]*69 no server/);
    const doctor = await run(["doctor", "--json"]);
    expect(JSON.parse(doctor.out).length).toBeGreaterThan(8);
    expect(doctor.code).toBe(0);
  });
});
