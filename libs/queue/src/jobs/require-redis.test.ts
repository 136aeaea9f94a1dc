import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { requireRedis } from "./require-redis.ts";

describe("a Redis that somebody else runs", () => {
  let redis: ChildProcess | null = null;
  let server: Server | null = null;
  afterEach(async () => {
    if (redis?.exitCode === null && redis.kill("SIGKILL")) await once(redis, "exit");
    server?.close();
    redis = server = null;
  });

  it("can be used when it answers, is new enough and keeps what it was given", async () => {
    const url = await start("--maxmemory-policy", "noeviction", "--requirepass", "geheim");
    await expect(requireRedis(url.replace("//", "//:geheim@"))).resolves.toBeUndefined();
    await expect(requireRedis(url.replace("//", "//:wrong@"))).rejects.toThrow(/WRONGPASS|invalid/);
    await expect(requireRedis(url)).rejects.toThrow(/NOAUTH|Authentication/);
  });

  it("cannot when it throws jobs away", async () => {
    const url = await start("--maxmemory-policy", "allkeys-lru");
    await expect(requireRedis(url)).rejects.toThrow(/allkeys-lru.*noeviction/);
  });

  it("cannot when nobody answers, or what answers is older than 6.2", async () => {
    await expect(requireRedis("redis://127.0.0.1:1")).rejects.toThrow(
      "127.0.0.1:1 cannot be used: connect ECONNREFUSED",
    );
    const info = "# Server\r\nredis_version:5.0.14\r\n";
    server = createServer((socket) =>
      socket.on("data", (asked) => {
        for (const command of String(asked)
          .split(/^\*\d+\r\n/m)
          .slice(1))
          socket.write(/^info\r$/im.test(command) ? `$${info.length}\r\n${info}\r\n` : "+OK\r\n");
      }),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await expect(requireRedis(`redis://127.0.0.1:${port}`)).rejects.toThrow("it is 5.0.14, 6.2 or later is needed");
  });

  async function start(...settings: string[]): Promise<string> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as { port: number };
    probe.close();
    redis = spawn("setpriv", ["--pdeathsig=KILL", "redis-server", "--port", String(port), "--save", "", ...settings], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    redis.stdout!.on("data", (text) => (said += text));
    while (!said.includes("Ready to accept connections")) {
      if (redis.exitCode !== null) throw new Error(`redis-server ended:\n${said}`);
      await sleep(10);
    }
    return `redis://127.0.0.1:${port}`;
  }
});
