import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { NODE_FLAGS } from "../../../infra/src/supervisor/supervisor.ts";
import type { Subject } from "../measure/blocks.ts";
import { type Command, runCommand } from "../peers/command.ts";
import type { StoreDone, StoreTask } from "../programs/image-store.ts";
import { COURIER, LAYER_TREE } from "./fixture.ts";

/** What is done in a folder that is fresh each time. */
export interface Work {
  readonly name: string;
  /** Not measured: what must lie in the folder before. */
  readonly before?: (dir: string) => Promise<void>;
  /** Resolves with how long it took, in ms. */
  readonly act: (dir: string, turn: number) => Promise<number>;
}

export function subjectOf({ name, before, act }: Work, dir: string, pids: readonly number[]): Subject {
  let turn = 0;
  return {
    name,
    pids,
    async run() {
      turn += 1;
      const fresh = join(dir, "turn");
      mkdirSync(fresh, { recursive: true });
      try {
        await before?.(fresh);
        return await act(fresh, turn);
      } finally {
        rmSync(fresh, { recursive: true, force: true });
      }
    },
  };
}

/** Other people's programs, one after the other: from the first one's start to the last one's end. */
export const programs =
  (commands: (dir: string, turn: number) => readonly Omit<Command, "cwd">[]): Work["act"] =>
  async (dir, turn) => {
    let total = 0;
    for (const command of commands(dir, turn)) total += (await runCommand({ ...command, cwd: dir })).end_ms;
    return total;
  };

/** Our store in a process of its own that goes on, as a worker does. */
export class StoreProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;
  /** The most of each, and of both in one task, Node's program counted once. */
  peak_mib = 0;
  courier_mib = 0;
  together_mib = 0;

  /** @param dir for its program, in one file, as a worker's is: from its sources it would hold what strips their types */
  constructor(dir: string, after: AsyncDisposableStack) {
    const program = join(dir, "image-store.mjs");
    const entryPoints = [join(import.meta.dirname, "../programs/image-store.ts")];
    buildSync({ entryPoints, outfile: program, bundle: true, platform: "node", format: "esm", logLevel: "error" });
    this.#child = fork(program, { execArgv: [...NODE_FLAGS] });
    this.#ended = once(this.#child, "exit").then(() => {
      throw new Error("the store's process has ended; it has said why");
    });
    this.#ended.catch(() => {}); // Told to whoever waits for it.
    after.defer(() => void this.#child.kill("SIGKILL"));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** @throws Error when it has ended; it has said why */
  async run(task: Omit<StoreTask, "layerTree" | "courier">): Promise<number> {
    this.#child.send({ layerTree: LAYER_TREE, courier: COURIER, ...task } satisfies StoreTask);
    const [done] = (await Promise.race([once(this.#child, "message"), this.#ended])) as [StoreDone];
    this.peak_mib = Math.max(this.peak_mib, done.peak_mib);
    this.courier_mib = Math.max(this.courier_mib, done.courier_mib);
    const together = done.peak_mib + done.courier_mib - done.courier_file_mib;
    if (done.courier_mib > 0) this.together_mib = Math.max(this.together_mib, together);
    return done.ms;
  }
}
