import { rmSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Home, RunAs } from "../home.ts";
import type { ServiceSpec } from "./service.ts";

/**
 * Redis as a private child: no TCP port, a Unix socket that only our user and root can open, append-only file, no eviction (BullMQ's
 * demand), no root. `setpriv` makes the kernel end it when the supervisor dies, and takes its privileges before it starts.
 */
export function redisService(home: Home, runAs: RunAs, stderr: (line: string) => void): ServiceSpec {
  return {
    name: "redis",
    command: "setpriv",
    args: [
      `--reuid=${runAs.uid}`,
      `--regid=${runAs.gid}`,
      "--clear-groups",
      "--no-new-privs",
      "--bounding-set=-all",
      "--pdeathsig=KILL",
      "redis-server",
      ...["--port", "0"],
      ...["--unixsocket", home.redisSocket],
      ...["--unixsocketperm", "700"],
      ...["--dir", home.redisDir],
      ...["--appendonly", "yes"],
      ...["--appendfsync", "everysec"],
      ...["--save", ""],
      ...["--maxmemory-policy", "noeviction"],
      ...["--daemonize", "no"],
      ...["--logfile", ""],
      ...["--loglevel", "warning"],
    ],
    env: { PATH: process.env.PATH, LANG: "C.UTF-8" },
    cwd: home.redisDir,
    ready: async (child) => {
      child.stdout!.setEncoding("utf8").on("data", (text: string) => stderr(text.trimEnd()));
      while (child.exitCode === null && child.signalCode === null) {
        if (await answers(home.redisSocket)) return;
        await sleep(20);
      }
    },
    stderr,
    stopMs: 10_000,
  };
}

/** Removes a socket file that a killed Redis left, so that readiness means the new one. */
export function clearRedisSocket(home: Home): void {
  rmSync(home.redisSocket, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.once("error", () => end(false));
    socket.once("data", (reply) => end(reply.toString().startsWith("+PONG")));
    socket.setTimeout(1_000, () => end(false));
    socket.write("PING\r\n");
  });
}
