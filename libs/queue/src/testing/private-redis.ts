import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A real Redis for tests, alone on a socket in its own folder, set as `npm start` sets it. */
export interface PrivateRedis {
  readonly address: { readonly path: string };
  /** kill -9. What it had answered is in its append-only file. */
  kill(): Promise<void>;
  /** Starts it again over what is in its folder. Resolves when it answers. */
  start(): Promise<void>;
  /** Stops it in its tracks: connections stay open and nothing is answered. */
  suspend(): void;
  resume(): void;
  /** Loses everything, as a Redis that writes nothing down does when it is started again. */
  forget(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

/** @throws Error when redis-server cannot be started (Debian package redis-server) */
export async function startPrivateRedis(): Promise<PrivateRedis> {
  const dir = mkdtempSync(join(tmpdir(), "mayfly-redis-"));
  const path = join(dir, "redis.sock");
  let child: ChildProcess | null = null;
  const start = async () => {
    rmSync(path, { force: true });
    child = spawn("setpriv", ["--pdeathsig=KILL", "redis-server", ...settings(dir, path)], { stdio: "ignore" });
    const failed = new Promise<never>((_, reject) => child!.once("error", reject));
    while (!(await Promise.race([answers(path), failed]))) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode} in ${dir}`);
      await sleep(10);
    }
  };
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child!.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  };
  await start();
  return {
    address: { path },
    start,
    kill,
    suspend: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    forget: async () => {
      await ask(path, "FLUSHALL", "+OK");
    },
    remove: async () => {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const settings = (dir: string, path: string): string[] => [
  ...["--port", "0", "--unixsocket", path, "--unixsocketperm", "700", "--dir", dir],
  ...["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"],
];

const answers = (path: string): Promise<boolean> => ask(path, "PING", "+PONG");

/** True when the answer begins like that. */
function ask(path: string, command: string, answer: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.once("error", () => end(false));
    socket.once("data", (reply) => end(reply.toString().startsWith(answer)));
    socket.write(`${command}\r\n`);
  });
}
