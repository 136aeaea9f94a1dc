import { createRequire } from "node:module";
import { Socket } from "node:net";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** native/spawn/spawn.c. Descriptors belong to the caller. */
interface Addon {
  /** @returns pid, and our ends of the program's standard streams @throws code of posix_spawn(3) */
  spawn(...args: string[]): [pid: number, stdin: number, stdout: number, stderr: number];
  /** What waitpid(2) says, once; null while it runs. */
  ended(pid: number): number | null;
}

export interface Program {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Its exit code, or the name of the signal that ended it. Read `stderr` to its end, or this waits for it. */
  readonly ended: Promise<number | string>;
  /** SIGKILL; after its end this does nothing. */
  kill(): void;
}

/** Between its last stream and its end a program has little left to do. */
const LOOKED_AT_MS = 1;

let addon: Addon | undefined;

/**
 * Starts a program by a path, without an environment. Not `child_process.spawn`: that forks, and a fork of a large Node stops its only
 * thread for milliseconds (docs/decisions/0020). The addon lies beside the program. @throws Error with a code when it cannot be started
 */
export function startProgram(path: string, args: readonly string[]): Program {
  addon ??= createRequire(import.meta.url)(join(dirname(path), "spawn.node")) as Addon;
  const { spawn, ended } = addon;
  const [pid, ...fds] = spawn(path, ...args);
  const stdin = new Socket({ fd: fds[0]!, readable: false, writable: true });
  const [stdout, stderr] = [fds[1]!, fds[2]!].map((fd) => new Socket({ fd, readable: true, writable: false }));
  let isOver = false;
  const end = async (): Promise<number | string> => {
    await closed(stderr!);
    for (;;) {
      const status = ended(pid);
      if (status !== null) {
        isOver = true;
        stdin.destroy();
        return how(status);
      }
      await sleep(LOOKED_AT_MS);
    }
  };
  return {
    stdin,
    stdout: stdout!,
    stderr: stderr!,
    ended: end(),
    kill: () => {
      // Nobody else waits for it: until then the pid is its own.
      if (!isOver) process.kill(pid, "SIGKILL");
    },
  };
}

const closed = (stream: Socket) =>
  new Promise<void>((resolve) => {
    if (stream.closed) resolve();
    else stream.once("close", resolve);
  });

/** As wait(2) packs it. */
function how(status: number): number | string {
  const signal = status & 0x7f;
  if (signal === 0) return (status >> 8) & 0xff;
  const named = Object.entries(constants.signals).find(([, number]) => number === signal);
  return named?.[0] ?? `signal ${signal}`;
}
