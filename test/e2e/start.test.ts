import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort, startSystem } from "./system.ts";

const START = resolve(import.meta.dirname, "../../infra/src/start.ts");

/** `npm start` after its set-up, as clumsy people and several of them on one machine use it. */
describe("starting Mayfly", () => {
  let dir: string;
  let children: ChildProcess[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-start-"));
    chmodSync(dir, 0o755);
    children = [];
  });
  afterEach(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(dir, { recursive: true, force: true });
  });

  function start(env: Record<string, string>, onOutput: (child: ChildProcess, output: string) => void = () => {}) {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", START], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, MAYFLY_HOME: join(dir, "home"), ...env },
    });
    children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
        onOutput(child, output);
      });
    }
    return once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  }

  it("says what cannot be used, and ends with 78", async () => {
    const wrong = await start({ MAYFLY_LISTEN: "8080" });
    expect(wrong).toEqual({ code: 78, output: expect.stringMatching(/^mayfly: MAYFLY_LISTEN=8080 cannot be used/) });
  });

  it("ends with 130 when it is stopped before it runs", async () => {
    let told = false;
    const stopped = await start({ MAYFLY_LISTEN: `127.0.0.1:${await freePort()}` }, (child, output) => {
      if (told || !output.includes("setup  ")) return;
      told = true;
      child.kill("SIGINT");
    });
    expect(stopped.code).toBe(130);
    expect(stopped.output).not.toContain("mayfly: ");
  }, 300_000);

  it("is refused a home that another one runs on, and an address that is taken; the other goes on", async () => {
    const first = await startSystem();
    try {
      const second = await start({ MAYFLY_HOME: first.home });
      expect(second).toEqual({ code: 1, output: expect.stringContaining("another Mayfly runs on this home already") });
      const third = await start({ MAYFLY_LISTEN: new URL(first.url).host });
      expect(third.code).toBe(1);
      expect(third.output).toContain(`${new URL(first.url).host}: it is taken; set MAYFLY_LISTEN=host:port\n`);
      expect(third.output).not.toMatch(/^ {4}at /m);
      expect((await first.call("hello")).status).toBe(200);
    } finally {
      expect(await first.stop()).toBe(0);
    }
  }, 400_000);

  it("works on somebody's Redis, by its URL, which two instances may share", async () => {
    const port = await freePort();
    const settings = ["--port", String(port), "--save", "", "--maxmemory-policy", "noeviction", "--dir", dir];
    const redis = spawn("setpriv", ["--pdeathsig=KILL", "redis-server", ...settings], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    children.push(redis);
    for await (const said of redis.stdout) if (String(said).includes("Ready to accept connections")) break;
    const env = { MAYFLY_REDIS_URL: `redis://127.0.0.1:${port}` };
    const first = await startSystem(env);
    const second = await startSystem(env);
    try {
      expect([first.pid("redis"), second.pid("redis")]).toEqual([null, null]);
      for (const [system, name] of [
        [first, "first"],
        [second, "second"],
      ] as const)
        expect((await system.deploy("who", `export default () => new Response("${name}")`)).status).toBe(201);
      const calls = await Promise.all(
        Array.from({ length: 8 }, (_, i) => (i % 2 ? second : first).call("who").then((answer) => answer.text())),
      );
      expect(calls).toEqual(calls.map((_, i) => (i % 2 ? "second" : "first")));
    } finally {
      expect([await first.stop(), await second.stop()]).toEqual([0, 0]);
    }
  }, 600_000);
});
