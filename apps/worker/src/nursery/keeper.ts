import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BoxHost, Nursery } from "@mayfly/container";
import { describeEnding, type RootFs } from "@mayfly/contract";
import { NURSERY_ENV, nurseryCommand } from "@mayfly/runtime";
import type { Logger } from "pino";
import { testNursery } from "./self-test.ts";

/** Forks of one nursery share its address layout and its hash seed: a new one takes over after so many. */
const FORKS_EACH = 10_000;
/** A nursery whose last orders are still on their way is not ended yet. */
const RETIRES_AFTER_MS = 10_000;
const RESTART_MS = [500, 2_000, 10_000, 60_000] as const;
/** What a layer above the base may not bring: it is what the nursery runs already. */
const RUNTIME = ["usr/local/bin/node", "usr/lib", "usr/lib64", "lib", "lib64", "mayfly", "etc/ld.so.preload"];

/**
 * Keeps one nursery of the base image: starts it, tests it, starts it again when it dies, replaces it after FORKS_EACH forks. Where there
 * is none at the moment, boxes boot their runtime themselves.
 */
export class NurseryKeeper {
  readonly #boxes: BoxHost;
  readonly #native: string;
  readonly #log: Logger;
  readonly #fits = new WeakMap<RootFs, boolean>();
  #base: RootFs | null = null;
  #current: Nursery | null = null;
  #forks = 0;
  #count = 0;
  #failures = 0;
  #starting: Promise<void> | null = null;
  #closed = false;

  constructor(options: { readonly boxes: BoxHost; readonly native: string; readonly log: Logger }) {
    this.#boxes = options.boxes;
    this.#native = options.native;
    this.#log = options.log;
  }

  /** Begins. Resolves when the first nursery is ready, or has turned out not to be fit; never rejects. */
  keep(base: RootFs): Promise<void> {
    this.#base = base;
    return this.#start();
  }

  /** The nursery whose forks may run over this root, when there is one. */
  forRoot(root: RootFs): string | null {
    if (this.#current === null || !this.#isFit(root)) return null;
    this.#forks += 1;
    if (this.#forks >= FORKS_EACH) void this.#start();
    return this.#current.id;
  }

  /** One that is just starting is waited for: its self-test has boxes, which it takes down itself. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#current?.stop();
    await this.#starting;
  }

  #start(): Promise<void> {
    this.#starting ??= this.#open()
      .catch((error: unknown) => this.#log.error({ err: error }, "a nursery could not be started"))
      .finally(() => {
        this.#starting = null;
      });
    return this.#starting;
  }

  async #open(): Promise<void> {
    this.#count += 1;
    const id = `nursery-${this.#count}`;
    const nursery = await this.#boxes.openNursery({
      id,
      lower: [join(this.#native, "nursery"), ...this.#base!.lower],
      args: nurseryCommand(),
      env: NURSERY_ENV,
    });
    for (const stream of [nursery.stdout, nursery.stderr])
      stream.on("data", (chunk: Buffer) => this.#log.warn({ nursery: id, said: chunk.toString() }, "nursery"));
    void nursery.ended.then((ending) => this.#ended(nursery, describeEnding(ending)));
    if (nursery.pid === 0) return;
    if (this.#closed) return nursery.stop();
    const faults = await testNursery(this.#boxes, id, this.#base!).catch((error: Error) => [error.message]);
    if (faults.length > 0) {
      this.#log.error(
        { nursery: id, faults },
        "the nursery failed its self-test and is not used; runtimes boot in their boxes",
      );
      this.#failures = RESTART_MS.length;
      return nursery.stop();
    }
    this.#take(nursery);
  }

  #take(nursery: Nursery): void {
    const before = this.#current;
    this.#current = nursery;
    this.#forks = 0;
    this.#failures = 0;
    if (before) void sleep(RETIRES_AFTER_MS, undefined, { ref: false }).then(() => before.stop());
    if (this.#closed) nursery.stop();
  }

  #ended(nursery: Nursery, how: string): void {
    if (this.#closed) return;
    const wasUsed = this.#current === nursery;
    if (!wasUsed && this.#current !== null) return; // It was retired.
    this.#current = null;
    const pause = RESTART_MS[this.#failures];
    this.#failures += 1;
    this.#log.warn({ nursery: nursery.id, how, again_in_ms: pause ?? null }, "the nursery has ended");
    if (pause !== undefined)
      void sleep(pause, undefined, { ref: false }).then(() => (this.#closed ? undefined : this.#start()));
  }

  /** An image made FROM the base that keeps its runtime. */
  #isFit(root: RootFs): boolean {
    const known = this.#fits.get(root);
    if (known !== undefined) return known;
    const base = this.#base!.lower;
    const above = root.lower.slice(0, -base.length);
    const fits =
      root.lower.slice(-base.length).join("\0") === base.join("\0") &&
      !above.some((layer) => RUNTIME.some((path) => existsSync(join(layer, path))));
    this.#fits.set(root, fits);
    return fits;
  }
}
