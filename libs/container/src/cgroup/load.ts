import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type Habit = "burn" | "spin" | "touch" | "bomb" | "fork" | "sleep";

/** A running process of fixtures/load.c. */
export interface Load {
  readonly pid: number;
  /** Its next line; rejects when it ends without one. */
  line(): Promise<string>;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(): Promise<void>;
}

/** Compiles the fixture once, static so that it starts fast; for tests of cgroups only. */
export class Loads {
  readonly #dir = mkdtempSync(join(tmpdir(), "mayfly-load-"));
  readonly #running: Load[] = [];

  constructor() {
    const source = join(import.meta.dirname, "fixtures", "load.c");
    execFileSync("gcc", ["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", join(this.#dir, "load"), source]);
  }

  /** Resolves when it has joined. */
  async start(habit: Habit, number: number, procsFiles: readonly string[]): Promise<Load> {
    const args = [habit, String(number), ...procsFiles];
    const child = spawn(join(this.#dir, "load"), args, { stdio: ["ignore", "pipe", "inherit"] });
    const load = follow(child);
    this.#running.push(load);
    const first = await load.line();
    if (first !== "ready") throw new Error(`load ${habit}: expected "ready", read ${JSON.stringify(first)}`);
    return load;
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((load) => load.kill()));
  }

  async close(): Promise<void> {
    await this.stopAll();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function follow(child: ChildProcess): Load {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const ended = once(child, "exit").then(([code, signal]) => ({ code, signal }));
  return {
    pid: child.pid!,
    ended,
    async line() {
      const next = await lines.next();
      if (next.done) throw new Error(`load ended (${JSON.stringify(await ended)}) before its line`);
      return next.value;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
