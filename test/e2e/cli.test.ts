import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAYFLY, runMayfly } from "./program.ts";
import { freePort, KEY, type System, startSystem } from "./system.ts";

const ECHO = `export default async (request) => {
  const url = new URL(request.url);
  const text = await request.text();
  console.log("got", text.length);
  if (url.pathname === "/boom") throw new Error("boom");
  if (url.pathname === "/spin") for (;;);
  if (url.pathname === "/moved") return Response.redirect("http://elsewhere.invalid/", 302);
  if (url.pathname === "/sorry") return Response.json({ type: "about:blank", title: "mine" }, { status: 418, headers: { "content-type": "application/problem+json" } });
  if (url.pathname === "/many") return new Response("0123456789".repeat(500_000));
  return new Response([request.method, url.pathname + url.search, request.headers.get("x-a"), process.env.WHO, text].join(" "));
};`;

/** The program that a person types, against the system that they run. */
describe("bin/mayfly", () => {
  let system: System;
  let dir: string;
  beforeAll(async () => {
    system = await startSystem();
    dir = mkdtempSync(join(tmpdir(), "mayfly-cli-"));
    writeFileSync(join(dir, "echo.js"), ECHO);
  }, 300_000);
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    expect(await system?.stop()).toBe(0);
  }, 60_000);

  const run = (args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) =>
    runMayfly(args, { cwd: dir, ...options, env: { MAYFLY_URL: system.url, ...options.env } });
  const json = async (...args: string[]) => JSON.parse((await run([...args, "--json"])).stdout);

  it("deploys a module and writes the URL alone to stdout, all else to stderr", async () => {
    const ran = await run(["deploy", "echo.js", "--timeout", "3s", "--env", "WHO=me"]);
    expect(ran).toMatchObject({ code: 0, stdout: `${system.url}/fn/echo\n` });
    expect(ran.stderr).toContain("echo v1 is live");
    const answer = await fetch(ran.stdout.trim());
    expect([answer.status, await answer.text()]).toEqual([200, "GET /  me "]);
  });

  it("deploys a folder, an archive's bytes from standard input, and the same source as the same version", async () => {
    const root = join(dir, "project");
    mkdirSync(join(root, "node_modules"), { recursive: true });
    writeFileSync(join(root, "index.ts"), `import { n } from "./n.ts"; export default () => new Response(String(n));`);
    writeFileSync(join(root, "n.ts"), "export const n: number = 7;");
    writeFileSync(join(root, "node_modules", "big.js"), "left out");
    symlinkSync("n.ts", join(root, "link.ts"));
    expect(await run(["deploy", "project", "--name", "folder"])).toMatchObject({ code: 0 });
    expect((await run(["invoke", "folder"])).stdout).toBe("7");
    expect((await run(["deploy", "project", "--name", "folder"])).stderr).toContain("folder v1 is live");
    expect(await run(["deploy", "-", "--name", "piped"], { input: ECHO })).toMatchObject({ code: 0 });
    expect((await run(["deploy", "-"], { input: ECHO })).code).toBe(2);
  });

  it("shows where a source does not compile, and exits 1", async () => {
    writeFileSync(join(dir, "broken.js"), "export default () => {\n  return new Response(;\n};\n");
    const ran = await run(["deploy", "broken.js"]);
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toMatch(/build_failed[\s\S]*broken\.js:2:23/);
    const last = await json("deploy", "broken.js");
    expect(last).toMatchObject({ step: "result", status: "error", error: { code: "build_failed" } });
    expect(await run(["deploy", "echo.js", "--memory", "lots"])).toMatchObject({ code: 2 });
    expect(await run(["deploy", "nothing.js"])).toMatchObject({ code: 2 });
  });

  it("calls with method, header, path, query and body, and passes the answer on", async () => {
    const sent = ["-d", '{"a":1}', "-H", "X-A: b", "-p", "/x?y=1"];
    expect(await run(["invoke", "echo", ...sent])).toMatchObject({ code: 0, stdout: 'POST /x?y=1 b me {"a":1}' });
    writeFileSync(join(dir, "body"), "from a file");
    expect((await run(["invoke", "echo@v1", "-X", "PUT", "-d", "@body"])).stdout).toBe("PUT /  me from a file");
    expect((await run(["invoke", "echo", "-d", "-"], { input: "from a pipe" })).stdout).toBe("POST /  me from a pipe");
    expect((await run(["invoke", "echo", "-p", "many"])).stdout).toHaveLength(5_000_000);
    expect(await run(["invoke", "echo", "-d", "@none"])).toMatchObject({ code: 2, stdout: "" });
  });

  it("leaves a function's own refusals and redirects as answers", async () => {
    expect(await run(["invoke", "echo", "-p", "sorry"])).toMatchObject({
      code: 0,
      stdout: '{"type":"about:blank","title":"mine"}',
    });
    expect(await run(["invoke", "echo", "-p", "sorry", "--fail"])).toMatchObject({ code: 1 });
    expect(await json("invoke", "echo", "-p", "moved")).toMatchObject({
      status: 302,
      headers: { location: "http://elsewhere.invalid/" },
    });
  });

  it("tells a call that failed from one that was late, and names the log", async () => {
    const threw = await run(["invoke", "echo", "-p", "boom"]);
    expect(threw).toMatchObject({ code: 1, stdout: "" });
    expect(threw.stderr).toMatch(/function_error: .*boom[\s\S]*mayfly logs inv_/);
    expect((await run(["invoke", "echo", "-p", "spin"])).code).toBe(124);
  });

  it("shows the bill of a call after its answer, by its id and by its function, as text and as JSON", async () => {
    const called = await run(["invoke", "folder", "--bill"]);
    expect(called.stdout).toBe("7");
    const id = /^inv_\w+/.exec(called.stderr)![0];
    expect((await run(["bill", id])).stdout).toBe(called.stderr);
    expect((await run(["bill", "folder"])).stdout).toBe(called.stderr);
    const record = await json("bill", id);
    expect(called.stderr).toContain(`This call cost ${record.bill.total.amount} USD.`);
    expect(record.bill.usage.cpu_us).toBeGreaterThan(0);
  });

  it("lists bills in four formats, and sums them exactly", async () => {
    const rows = (await run(["bills", "--function", "folder"])).stdout.trimEnd().split("\n");
    expect(rows).toHaveLength(3);
    const all = await json("bills", "--since", "1h");
    const lines = (await run(["bills", "--format", "ndjson"])).stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(all.map((record: { id: string }) => record.id));
    expect((await run(["bills", "--format", "csv", "--limit", "2"])).stdout.trimEnd().split("\r\n")).toHaveLength(3);
    const pico = (amount: string) => BigInt(amount.replace(".", ""));
    const sum = all.reduce((total: bigint, record: { bill: { total: { amount: string } } }) => {
      return total + pico(record.bill.total.amount);
    }, 0n);
    for (const by of ["function", "day"]) {
      const { totals } = await json("bills", "--by", by);
      expect(pico(totals[0].amount), by).toBe(sum);
    }
    expect(await json("bills", "--until", "2020-01-01")).toEqual([]);
  });

  it("shows logs of a call and of the latest call of a function", async () => {
    await run(["invoke", "echo", "-d", "four"]);
    expect((await run(["logs", "echo"])).stdout).toBe("got 4\n");
    expect(await json("logs", "echo")).toMatchObject({ stream: "stdout", text: "got 4" });
    await run(["deploy", "echo.js", "--name", "silent"]);
    expect(await run(["logs", "silent"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("not been called"),
    });
  });

  it("lists, inspects, rolls back and removes", async () => {
    writeFileSync(join(dir, "two.js"), "export default () => new Response('two')");
    await run(["deploy", "two.js", "--name", "echo"]);
    expect((await run(["invoke", "echo"])).stdout).toBe("two");
    expect((await run(["versions", "echo"])).stdout).toMatch(/^v2 [\s\S]*^v1 /m);
    expect(await json("rollback", "echo")).toMatchObject({ version: 1 });
    expect((await run(["rollback", "echo", "v2"])).stderr).toBe("echo v2 is live\n");
    expect(await json("inspect", "echo@v1")).toMatchObject({ version: 1, settings: { timeout_ms: 3000 } });
    expect((await json("ls")).map((row: { function: string }) => row.function)).toContain("echo");
    expect(await run(["rm", "echo", "piped"])).toMatchObject({ code: 0 });
    expect((await json("ls")).map((row: { function: string }) => row.function)).not.toContain("echo");
  });

  it("answers a name that is not there with the nearest", async () => {
    for (const args of [
      ["invoke", "foldr"],
      ["inspect", "foldr"],
      ["logs", "foldr"],
      ["rm", "foldr"],
    ]) {
      const ran = await run(args);
      expect(ran, args[0]).toMatchObject({ code: 1, stdout: "" });
      expect(ran.stderr, args[0]).toContain("did you mean folder?");
    }
    expect((await run(["inspect", "folder@9"])).stderr).toContain("mayfly versions folder");
  });

  it("exits 69 without a server, 77 with a wrong key, 2 for what it does not know", async () => {
    const nobody = await run(["ls"], { env: { MAYFLY_URL: `http://127.0.0.1:${await freePort()}` } });
    expect(nobody).toMatchObject({ code: 69, stdout: "", stderr: expect.stringContaining("npm start") });
    expect(await run(["ls"], { env: { MAYFLY_KEY: "wrong" } })).toMatchObject({ code: 77, stdout: "" });
    expect(await run(["ls", "--key", KEY], { env: { MAYFLY_KEY: "wrong" } })).toMatchObject({ code: 0 });
    for (const args of [["lss"], ["ls", "--nope"], ["bill"], ["invoke", "../v1/functions"], ["bills", "--limit", "0"]])
      expect((await run(args)).code, args.join(" ")).toBe(2);
    const help = await run(["--help"]);
    expect(help.code).toBe(0);
    for (const code of [0, 1, 2, 69, 75, 77, 78, 124, 130])
      expect(help.stdout).toMatch(new RegExp(`^ +${code}  `, "m"));
  });

  it("uses colour only where it is asked for", async () => {
    expect((await run(["bill", "folder"])).stdout).not.toContain("\u001b");
    expect((await run(["bill", "folder"], { env: { FORCE_COLOR: "1" } })).stdout).toContain("\u001b");
    expect((await run(["bill", "folder"], { env: { NO_COLOR: "1" } })).stdout).not.toContain("\u001b");
  });

  it("runs through a link, from any folder, and checks this host", async () => {
    symlinkSync(MAYFLY, join(dir, "mf"));
    const child = spawn(join(dir, "mf"), ["doctor", "--json"], { cwd: "/", stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    for await (const chunk of child.stdout) text += chunk;
    const checks = JSON.parse(text) as { name: string; ok: boolean }[];
    expect(checks.find(({ name }) => name === "node")).toMatchObject({ ok: true });
  });
});
