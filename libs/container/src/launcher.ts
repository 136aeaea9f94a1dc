import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Addon } from "./addon.ts";

/** What the launcher says about one box (native/boxes.c). `gone` follows a refusal when nothing of the box is left. */
export type LauncherEvent =
  | { readonly event: "entered"; readonly init: number; readonly main: number; readonly idmap: boolean }
  | { readonly event: "refused"; readonly step: string; readonly errno: string; readonly message: string }
  | { readonly event: "ended"; readonly code?: number; readonly signal?: number }
  | { readonly event: "gone" }
  /** Of our own making: the daemon has died, and with it, by their parent-death signals, the boxes. */
  | { readonly event: "lost" };

export interface LauncherOptions {
  readonly binary: string;
  readonly runDir: string;
  readonly addon: Addon;
  readonly onDiagnostic: (line: string) => void;
  readonly allowUnprotected: boolean;
}

/** The launcher daemon as a value: requests in, events out. It dies with us, and every box dies with it. */
export class Launcher {
  readonly #child: ChildProcess;
  readonly #control: number;
  readonly #addon: Addon;
  readonly #listeners = new Map<string, (event: LauncherEvent) => void>();
  readonly #diagnose: (line: string) => void;
  #closed = false;
  /** Resolves when the daemon has ended, for whatever reason. */
  readonly ended: Promise<void>;

  constructor(options: LauncherOptions) {
    const [ours, theirs] = options.addon.socketPair(true);
    this.#addon = options.addon;
    this.#control = ours;
    this.#diagnose = options.onDiagnostic;
    const args = [options.runDir, ...(options.allowUnprotected ? ["--allow-unprotected"] : [])];
    this.#child = spawn(options.binary, args, { stdio: ["ignore", "pipe", "pipe", theirs], env: {}, cwd: "/" });
    closeSync(theirs);
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#take(line));
    createInterface({ input: this.#child.stderr! }).on("line", this.#diagnose);
    this.ended = new Promise<void>((resolve) => {
      this.#child.once("error", (error) => {
        this.#diagnose(`launcher: ${error.message}`);
        resolve();
      });
      this.#child.once("close", () => resolve());
    }).then(() => this.#abandon());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  listen(id: string, listener: (event: LauncherEvent) => void): void {
    this.#listeners.set(id, listener);
  }

  forget(id: string): void {
    this.#listeners.delete(id);
  }

  /** @throws when the daemon is gone. Waits, briefly, while it is behind. */
  async send(request: Uint8Array, descriptors: readonly number[]): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (this.#closed) throw new Error("the launcher has ended");
        return this.#addon.send(this.#control, request, descriptors);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || attempt > 500) throw error;
        await sleep(2);
      }
    }
  }

  /** Ends the daemon and all its boxes. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
      const killer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
      if (this.#child.pid !== undefined) await once(this.#child, "exit").catch(() => {});
      clearTimeout(killer);
    }
    await this.ended;
  }

  #take(line: string): void {
    const { id, ...event } = JSON.parse(line) as { id?: string } & LauncherEvent;
    if (id === undefined) this.#diagnose(`launcher: ${line}`);
    else this.#listeners.get(id)?.(event as LauncherEvent);
  }

  /** With the daemon every box dies (parent-death signal): tell those who wait. */
  #abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#control);
    for (const listener of [...this.#listeners.values()]) listener({ event: "lost" });
    this.#listeners.clear();
  }
}
