import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { BadBoxSpec, type Box, type BoxSpec, NetworkError } from "@mayfly/container";
import { type BoxEnd, type BoxStatus, Fault, FRAME, type RootFs } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { watchDisk } from "../disk-use.ts";
import { endOf } from "./end.ts";
import { BoxLog } from "./log.ts";
import { badSetting, specOf } from "./plan.ts";
import { type StoredBox, storeRecord } from "./record.ts";

/** Of each of the log's two files. */
const LOG_PART_BYTES = 8 * 1024 * 1024;

/** Who is attached hears all that a box writes; the box waits for them. */
export type Listener = (type: typeof FRAME.DATA | typeof FRAME.STDERR, bytes: Uint8Array) => Promise<void>;

/** A run of a box's program. */
export interface Run {
  readonly box: Box;
  readonly listeners: Set<Listener>;
  isPaused: boolean;
  /** When all of its output was heard. Never rejects. */
  readonly over: Promise<BoxEnd>;
}

/** How a box is mounted, anew for each run. */
export interface Mounts {
  readonly rootfs: RootFs;
  readonly besides: BoxSpec["mounts"];
}

/** One kept box: its record, its log, what it wrote, and its run while there is one. */
export class KeptBox {
  readonly folder: string;
  readonly log: BoxLog;
  readonly #deps: Pick<WorkerDeps, "boxes" | "log">;
  #record: StoredBox;
  #run: Run | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(folder: string, record: StoredBox, deps: Pick<WorkerDeps, "boxes" | "log">) {
    this.folder = folder;
    this.#record = record;
    this.#deps = deps;
    this.log = new BoxLog(folder, LOG_PART_BYTES);
  }

  get record(): StoredBox {
    return this.#record;
  }

  get run(): Run | null {
    return this.#run;
  }

  get status(): BoxStatus {
    return this.#run?.isPaused ? "paused" : this.#record.status;
  }

  /** The folder whose `u` keeps what it writes. */
  get disk(): string {
    return join(this.folder, "disk");
  }

  /** One after the other: what would be in each other's way. */
  exclusively<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(act);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** @throws Fault conflict when it runs; what says why it cannot be made, when it cannot even be tried */
  start(mounts: Mounts, listener: Listener | null): Promise<Run> {
    return this.exclusively(async () => {
      if (this.#run) throw new Fault("conflict", { detail: `${this.#record.id} runs already` });
      // The work folder of a run that ended holds marks that overlayfs would stumble over.
      await rm(join(this.disk, "w"), { recursive: true, force: true });
      const before = this.#record;
      this.store({ status: "running", started_at: now(), ended_at: null, exit_code: null, ended: null, usage: null });
      try {
        const box = await this.#deps.boxes.start(specOf(before, mounts.rootfs, this.disk, mounts.besides));
        const listeners = new Set(listener ? [listener] : []);
        this.#run = { box, listeners, isPaused: false, over: this.#follow(box, listeners) };
        return this.#run;
      } catch (error) {
        this.store(before);
        throw faultOf(error);
      }
    });
  }

  /** @throws Fault conflict */
  running(): Run {
    if (this.#run) return this.#run;
    throw new Fault("conflict", { detail: `${this.#record.id} does not run` });
  }

  store(change: Partial<StoredBox>): void {
    this.#record = { ...this.#record, ...change };
    storeRecord(this.folder, this.#record);
  }

  async #follow(box: Box, listeners: Set<Listener>): Promise<BoxEnd> {
    const heard = Promise.all([
      ...(box.terminal ? [this.#hear(FRAME.DATA, box.terminal.output, listeners)] : []),
      this.#hear(FRAME.DATA, box.stdout, listeners),
      this.#hear(FRAME.STDERR, box.stderr, listeners),
    ]);
    const unwatch = watchDisk(box, this.disk, this.#record.wanted.disk_bytes);
    const ending = await box.ended;
    unwatch();
    const end = endOf(ending);
    try {
      const usage = await box.remove();
      this.store({ status: "exited", ended_at: now(), ...end, usage });
    } catch (error) {
      this.#deps.log.error({ err: error, box: box.id }, "the end of a kept box cannot be recorded");
    }
    this.#run = null;
    await heard;
    return end;
  }

  async #hear(type: Parameters<Listener>[0], output: Readable, listeners: Set<Listener>): Promise<void> {
    try {
      for await (const chunk of output as AsyncIterable<Uint8Array>) {
        this.log.append(type, chunk);
        await Promise.all([...listeners].map((hear) => hear(type, chunk).catch(() => listeners.delete(hear))));
      }
    } catch (error) {
      // A terminal in which somebody typed what nobody read.
      if ((error as NodeJS.ErrnoException).code !== "ECONNRESET")
        this.#deps.log.warn({ err: error, box: this.#record.id }, "what a kept box wrote is lost from here");
      output.destroy();
    }
  }
}

const now = (): string => new Date().toISOString();

function faultOf(error: unknown): unknown {
  if (error instanceof BadBoxSpec) return badSetting(error.message);
  if (error instanceof NetworkError) return new Fault("unavailable", { detail: error.message });
  return error;
}
