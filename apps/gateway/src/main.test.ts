import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { FRAME } from "@mayfly/contract";
import { type PrivateRedis, startPrivateRedis } from "@mayfly/queue";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KEY, PREFIX, textOf } from "./testing/gateway.ts";
import { bodyOf, head, TestWorker } from "./testing/worker.ts";

const MiB = 1024 * 1024;
const NOBODY = 65_534;

/** The gateway as its supervisor starts it: a process of its own, that begins as root. */
describe("the gateway's process", () => {
  let redis: PrivateRedis;
  let home: string;
  let channel: string;
  let processes: ChildProcess[];
  let worker: TestWorker | null;
  beforeEach(async () => {
    redis = await startPrivateRedis();
    home = mkdtempSync(join(tmpdir(), "mayfly-gateway-"));
    chownSync(home, NOBODY, NOBODY);
    // The queue's folder is Redis' own; the socket in it is for us.
    chmodSync(join(redis.address.path, ".."), 0o711);
    chmodSync(redis.address.path, 0o777);
    channel = join(home, "channel.sock");
    processes = [];
    worker = null;
  });
  afterEach(async () => {
    await worker?.close();
    for (const child of processes) {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    await redis.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const start = async (env: Record<string, string> = {}) => {
    const flags = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=1"];
    const child = spawn(process.execPath, [...flags, join(import.meta.dirname, "main.ts")], {
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        MALLOC_ARENA_MAX: "2",
        MAYFLY_HOME: home,
        MAYFLY_LISTEN: "127.0.0.1:0",
        MAYFLY_KEY: KEY,
        MAYFLY_CHANNEL: channel,
        MAYFLY_REDIS_SOCKET: redis.address.path,
        MAYFLY_QUEUE_PREFIX: PREFIX,
        MAYFLY_RUN_AS: `${NOBODY}:${NOBODY}`,
        ...env,
      },
    });
    processes.push(child);
    let errors = "";
    child.stderr.on("data", (text) => {
      errors += text;
    });
    const exited = once(child, "exit").then(([code]) => ({ code: code as number | null, errors }));
    const line = once(createInterface(child.stdout), "line").then(([text]) => JSON.parse(text as string));
    const said = (await Promise.race([line, exited])) as { url?: string; ready?: boolean };
    return { child, exited, url: said.url ?? "", ready: said.ready };
  };
  const deploy = (url: string, query: string) =>
    fetch(`${url}/v1/functions/f?${query}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${KEY}` },
      body: "export default 1",
    });
  const serving = async () => {
    worker = await TestWorker.start({ redis: redis.address, prefix: PREFIX, channel });
    return worker;
  };

  it("says that it is ready, is root no more and keeps its files to itself", async () => {
    const { child, url, ready } = await start();
    expect(ready).toBe(true);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    expect(/^Uid:\t(.*)$/m.exec(status)![1]).toBe(`${NOBODY}\t${NOBODY}\t${NOBODY}\t${NOBODY}`);
    expect(/^Gid:\t(.*)$/m.exec(status)![1]).toBe(`${NOBODY}\t${NOBODY}\t${NOBODY}\t${NOBODY}`);
    expect(/^Groups:\t(.*)$/m.exec(status)![1]!.trim()).toBe(String(NOBODY));
    expect(/^CapEff:\t(.*)$/m.exec(status)![1]).toBe("0000000000000000");
    expect(statSync(channel).mode & 0o777).toBe(0o600);
    for (const file of readdirSync(join(home, "data")).filter((name) => name.endsWith(".sqlite")))
      expect(statSync(join(home, "data", file)).mode & 0o777, file).toBe(0o600);
  });

  it("names what is wrong with its environment, and an address that is taken", async () => {
    const wrong = await (await start({ MAYFLY_LISTEN: "nowhere" })).exited;
    expect(wrong.code).not.toBe(0);
    expect(wrong.errors).toContain("MAYFLY_LISTEN");
    const { url } = await start();
    const second = await (await start({ MAYFLY_LISTEN: new URL(url).host, MAYFLY_CHANNEL: `${channel}2` })).exited;
    expect(second.code).not.toBe(0);
    expect(second.errors).toContain("it is taken; set MAYFLY_LISTEN");
    expect(second.errors).not.toContain("    at ");
  });

  it("finishes what it serves when it is told to stop, and takes nothing new", async () => {
    const { child, url, exited } = await start();
    const test = await serving();
    expect((await deploy(url, "wait=10")).status).toBe(201);
    let release = () => {};
    test.behave = async (channel) => {
      await head(channel, 200);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      await channel.send(FRAME.DATA, Buffer.from("done"));
      await channel.send(FRAME.END);
    };
    const answer = await fetch(`${url}/fn/f`);
    child.kill("SIGTERM");
    await vi.waitFor(() => expect(fetch(`${url}/healthz`)).rejects.toThrow());
    release();
    expect(await answer.text()).toBe("done");
    expect((await exited).code).toBe(0);
  });

  it("takes builds up again that it had accepted before it was killed, though Redis forgot them", async () => {
    const first = await start();
    const accepted = await deploy(first.url, "");
    expect(accepted.status).toBe(202);
    const { build } = (await accepted.json()) as { build: { id: string } };
    first.child.kill("SIGKILL");
    await first.exited;
    await redis.forget();
    const second = await start();
    await serving();
    const shown = await fetch(`${second.url}/v1/builds/${build.id}?wait=20`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect(await shown.json()).toMatchObject({ status: "done", version: 1 });
    await vi.waitFor(() => expect(readdirSync(join(home, "uploads"))).toEqual([]));
  });

  it("passes 256 MiB each way without growing by 64 MiB", async () => {
    const { child, url } = await start();
    const test = await serving();
    expect((await deploy(url, "wait=10&timeout=120s")).status).toBe(201);
    const size = 256 * MiB;
    const block = Buffer.alloc(64 * 1024, "mayfly");
    test.behave = async (channel, job) => {
      const hash = createHash("sha256");
      for await (const chunk of bodyOf(channel)) hash.update(chunk);
      await head(channel, 200);
      if (job.head.target === "/in") await channel.send(FRAME.DATA, Buffer.from(hash.digest("hex")));
      else for (let sent = 0; sent < size; sent += block.byteLength) await channel.send(FRAME.DATA, block);
      await channel.send(FRAME.END);
    };
    const whole = createHash("sha256");
    for (let at = 0; at < size; at += block.byteLength) whole.update(block);
    const expected = whole.digest("hex");
    await (await fetch(`${url}/fn/f`, { method: "POST", body: Buffer.alloc(MiB) })).body!.cancel();

    const before = rss(child.pid!);
    let peak = before;
    const watching = setInterval(() => {
      peak = Math.max(peak, rss(child.pid!));
    }, 10);
    const upload = httpRequest(`${url}/fn/f/in`, { method: "PUT" });
    const answer = once(upload, "response");
    for (let sent = 0; sent < size; sent += block.byteLength) if (!upload.write(block)) await once(upload, "drain");
    upload.end();
    expect(await textOf((await answer)[0])).toBe(expected);
    const seen = createHash("sha256");
    let slow = 0;
    for await (const chunk of (await fetch(`${url}/fn/f/out`)).body!) {
      seen.update(chunk);
      slow += chunk.byteLength;
      // A caller that reads in fits and starts must stop the sender, not fill the gateway.
      if (slow > 32 * MiB) {
        slow = 0;
        await sleep(50);
      }
    }
    expect(seen.digest("hex")).toBe(expected);
    clearInterval(watching);
    expect(peak - before).toBeLessThan(64 * MiB);
  });
});

const rss = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
