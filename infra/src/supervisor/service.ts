import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServiceSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Resolves when the service can be used; rejects when it cannot. Runs again after every restart. */
  readonly ready: (child: ChildProcess) => Promise<void>;
  readonly stderr: (line: string) => void;
  /** How long it may take to end after SIGTERM before it gets SIGKILL. */
  readonly stopMs: number;
  /** What it leaves on the machine when it is killed, its successor takes away: there is always one, also when all are to stop. */
  readonly sweeps?: true;
}

/** How long it waits before a restart: the first after a service that stood, twice as long after each start that failed. */
const BACKOFF_MS = { first: 100, last: 5_000 };
const READY_WITHIN_MS = 30_000;

/**
 * One supervised process: started, waited for, restarted when it dies, stopped when told. Its standard input is a pipe that
 * closes when the supervisor is gone, however that happens.
 */
export class Service {
  readonly #spec: ServiceSpec;
  readonly #say: (line: string) => void;
  #child: ChildProcess | null = null;
  #stood = false;
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;
  #restarts = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(spec: ServiceSpec, say: (line: string) => void) {
    this.#spec = spec;
    this.#say = say;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Starts it and keeps it running. @throws Error when the first start fails. */
  async start(): Promise<void> {
    const child = await this.#launch();
    this.#loop = this.#keep(child);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#child) await this.#end(this.#child);
    await this.#loop;
    if (!this.#spec.sweeps || !this.#stood || this.#child?.exitCode === 0) return;
    const successor = await this.#launch().catch((error: Error) => this.#say(error.message));
    if (successor) await this.#end(successor);
  }

  async #end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), this.#spec.stopMs);
    await once(child, "exit");
    clearTimeout(killer);
  }

  async #keep(first: ChildProcess): Promise<void> {
    let child: ChildProcess | null = first;
    let delay = BACKOFF_MS.first;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (child) {
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
        if (signal.aborted) return;
        this.#say(`${this.#spec.name} ended (${child.signalCode ?? `code ${child.exitCode}`}); restarting it`);
        delay = BACKOFF_MS.first;
      }
      await sleep(delay, undefined, { signal }).catch(() => {});
      delay = Math.min(delay * 2, BACKOFF_MS.last);
      if (signal.aborted) return;
      this.#restarts += 1;
      child = await this.#launch().catch((error: Error) => {
        this.#say(error.message);
        return null;
      });
    }
  }

  async #launch(): Promise<ChildProcess> {
    const { name, command, args, env, cwd, ready, stderr } = this.#spec;
    const child = spawn(command, args, {
      cwd,
      env: env as NodeJS.ProcessEnv,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    child.stdin.on("error", () => {});
    const tail: string[] = [];
    eachLine(child.stderr, (line) => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      stderr(line);
    });
    const died = once(child, "exit").then(([code, signal]) => {
      throw new Error(`${name} ended while it started (${signal ?? `code ${code}`})\n${tail.join("\n")}`);
    });
    const slow = new AbortController();
    const late = sleep(READY_WITHIN_MS, undefined, { signal: slow.signal, ref: false }).then(() => {
      child.kill("SIGKILL");
      throw new Error(`${name} was not ready within ${READY_WITHIN_MS / 1000} s\n${tail.join("\n")}`);
    });
    try {
      await Promise.race([ready(child), died, late]);
    } finally {
      slow.abort();
      for (const unneeded of [died, late]) unneeded.catch(() => {});
    }
    this.#stood = true;
    return child;
  }
}

/** Waits for the one JSON line that our own processes print when they stand. */
export async function readyLine(child: ChildProcess): Promise<Record<string, unknown>> {
  const lines = createInterface({ input: child.stdout! });
  for await (const line of lines) {
    child.stdout!.resume();
    return JSON.parse(line);
  }
  return new Promise(() => {}); // its end is reported by the exit
}

function eachLine(stream: Readable, take: (line: string) => void): void {
  createInterface({ input: stream }).on("line", take);
}
