import { availableParallelism } from "node:os";
import type { VersionSpec } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { discard, prepare, type ReadyBox } from "./prepare.ts";
import { IDLE_MS, RecentCalls } from "./traffic.ts";

interface Shelf {
  readonly version: VersionSpec;
  readonly calls: RecentCalls;
  readonly boxes: ReadyBox[];
  /** No box is made before this: the last one could not be. */
  notBeforeMs: number;
}

/** A call under way: the box that waited for it, if one did. */
export interface Begun {
  readonly ready: ReadyBox | null;
  /** To be called when the call has its bill. */
  ended(): void;
}

const SWEEPS_EACH_MS = 1_000;

/**
 * Boxes that wait for a request, of the versions that are being called: as many as ran at once lately, within a budget of memory, each
 * for one call. They are made after a call, never beside as many as there are cores. What is idle is taken away.
 */
export class ReadyBoxes {
  readonly #deps: () => WorkerDeps;
  readonly #budget: number;
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;
  #running = 0;
  #stocking: Promise<void> | null = null;
  #closed = false;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: { readonly deps: () => WorkerDeps; readonly budget_bytes: number }) {
    this.#deps = options.deps;
    this.#budget = options.budget_bytes;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEPS_EACH_MS).unref();
  }

  /** A CGI program is started for its request: nothing of it can be made before. */
  begin(version: VersionSpec): Begun {
    if (version.contract === "cgi") return { ready: null, ended: () => {} };
    const shelf = this.#shelf(version);
    shelf.calls.begun(performance.now());
    this.#running += 1;
    return {
      ready: this.#take(shelf),
      ended: () => {
        shelf.calls.ended();
        this.#running -= 1;
        this.#stock();
      },
    };
  }

  /** Takes all of them away and makes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeper);
    await this.#stocking;
    await Promise.all([...this.#shelves.values()].map((shelf) => this.#empty(shelf, "the worker is shutting down")));
  }

  #shelf(version: VersionSpec): Shelf {
    // A change of settings is a version of its own.
    const key = `${version.function}@${version.version}`;
    let shelf = this.#shelves.get(key);
    if (!shelf || shelf.version.image !== version.image) {
      if (shelf) void this.#empty(shelf, "its function was made anew");
      shelf = { version, calls: new RecentCalls(), boxes: [], notBeforeMs: 0 };
      this.#shelves.set(key, shelf);
    }
    return shelf;
  }

  #take(shelf: Shelf): ReadyBox | null {
    const ready = shelf.boxes.pop() ?? null;
    if (ready) this.#bytes -= ready.bytes;
    return ready;
  }

  /** One after the other, for whoever was called last first. */
  #stock(): void {
    if (this.#closed || this.#budget === 0) return;
    this.#stocking ??= (async () => {
      for (let shelf = this.#neediest(); shelf !== null; shelf = this.#neediest()) await this.#add(shelf);
    })()
      .catch((error: unknown) => this.#deps().log.error({ err: error }, "boxes could not be made ready"))
      .finally(() => {
        this.#stocking = null;
      });
  }

  #neediest(): Shelf | null {
    if (this.#closed || this.#running >= availableParallelism()) return null;
    const now = performance.now();
    const needy = [...this.#shelves.values()].filter(
      (shelf) => shelf.notBeforeMs <= now && shelf.boxes.length < shelf.calls.wanted(now),
    );
    return needy.sort((a, b) => b.calls.last - a.calls.last)[0] ?? null;
  }

  async #add(shelf: Shelf): Promise<void> {
    const ready = await prepare(shelf.version, this.#deps());
    if (ready === null) {
      shelf.notBeforeMs = performance.now() + IDLE_MS;
      return;
    }
    while (this.#bytes + ready.bytes > this.#budget && (await this.#giveUpOne(shelf)));
    if (this.#closed || this.#bytes + ready.bytes > this.#budget) {
      shelf.notBeforeMs = performance.now() + IDLE_MS;
      return discard(ready, "there is no memory for it");
    }
    this.#bytes += ready.bytes;
    shelf.boxes.push(ready);
    void ready.box.ended.then(() => this.#drop(shelf, ready));
  }

  /** It has ended where it waited. */
  #drop(shelf: Shelf, ready: ReadyBox): void {
    const at = shelf.boxes.indexOf(ready);
    if (at < 0) return;
    shelf.boxes.splice(at, 1);
    this.#bytes -= ready.bytes;
    void this.#discard(ready, "it ended before its call");
  }

  /** Of the version that was called longest ago, and longer ago than `than`. */
  async #giveUpOne(than: Shelf): Promise<boolean> {
    const others = [...this.#shelves.values()].filter(
      (shelf) => shelf.boxes.length > 0 && shelf.calls.last < than.calls.last,
    );
    const oldest = others.sort((a, b) => a.calls.last - b.calls.last)[0];
    const ready = oldest && this.#take(oldest);
    if (!ready) return false;
    await this.#discard(ready, "its memory is wanted elsewhere");
    return true;
  }

  #sweep(): void {
    const now = performance.now();
    for (const [key, shelf] of this.#shelves) {
      if (shelf.calls.isForgotten(now)) this.#shelves.delete(key);
      while (shelf.boxes.length > shelf.calls.wanted(now)) void this.#discard(this.#take(shelf)!, "nobody called");
    }
  }

  async #empty(shelf: Shelf, reason: string): Promise<void> {
    const boxes = shelf.boxes.splice(0);
    for (const { bytes } of boxes) this.#bytes -= bytes;
    await Promise.all(boxes.map((ready) => this.#discard(ready, reason)));
  }

  async #discard(ready: ReadyBox, reason: string): Promise<void> {
    await discard(ready, reason).catch((error: unknown) =>
      this.#deps().log.error({ err: error, box: ready.box.id }, "a box that waited could not be taken away"),
    );
  }
}
