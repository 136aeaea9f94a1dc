import type { Readable } from "node:stream";
import type { Ending } from "@mayfly/contract";
import type { LauncherEvent } from "./launcher.ts";
import { refusal } from "./refusal.ts";

/** A program that boots once and then forks itself into boxes (native/nursery.c). It is trusted: it runs as root of the host. */
export interface NurserySpec {
  /** As a box's: `[a-z0-9_-]`, at most 63 characters. */
  readonly id: string;
  /** The runtime's base, topmost first, and over it the layer with the nursery's own program and addon. */
  readonly lower: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly string[];
}

export interface Nursery {
  readonly id: string;
  /** Host pid; 0 when it was refused. */
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Ends it at once. Boxes that it forked live on. */
  stop(): void;
  /** Never rejects. */
  readonly ended: Promise<Ending>;
}

export interface NurseryParts {
  readonly id: string;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly kill: () => void;
  readonly onGone: () => void;
}

/** Turns the launcher's events into a nursery. */
export class RunningNursery implements Nursery {
  readonly id: string;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<Ending>;
  /** Resolves when it is sealed, or has ended. */
  readonly sealed: Promise<void>;
  pid = 0;
  #refused: Ending | null = null;
  readonly #parts: NurseryParts;
  #resolveEnded!: (ending: Ending) => void;
  #resolveSealed!: () => void;

  constructor(parts: NurseryParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.stdout = parts.stdout;
    this.stderr = parts.stderr;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.sealed = new Promise((resolve) => {
      this.#resolveSealed = resolve;
    });
  }

  stop(): void {
    this.#parts.kill();
  }

  /** For the host: an event of the launcher about this nursery. */
  take(event: LauncherEvent): void {
    if (event.event === "entered") {
      this.pid = event.main;
      this.#resolveSealed();
    } else if (event.event === "refused") {
      this.#refused = refusal(event.step, event.errno, event.message);
    } else {
      this.#end(this.#refused ?? endingOf(event));
    }
  }

  #end(ending: Ending): void {
    this.#parts.onGone();
    this.#resolveSealed();
    this.#resolveEnded(ending);
  }
}

function endingOf(event: LauncherEvent): Ending {
  if (event.event !== "ended") return { kind: "killed", reason: "the launcher was lost" };
  return event.signal === undefined
    ? { kind: "exit", code: event.code ?? 0 }
    : { kind: "signal", signal: event.signal };
}
