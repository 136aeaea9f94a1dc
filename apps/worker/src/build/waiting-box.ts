import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { type BoxDeps, discard, type StandingBox, standingBox, type Wish } from "./standing-box.ts";

interface Waiting {
  readonly key: string;
  /** Null: it could not be made. */
  readonly standing: Promise<StandingBox | null>;
  isTaken: boolean;
}

/**
 * When a box that was taken is replaced: where builds follow each other, as soon as the one that took it is on its way; one that is alone
 * has the cores for itself.
 */
const REPLACED_AFTER_MS = { following: 5, alone: 100 } as const;
const FOLLOWS_WITHIN_MS = 1_000;

/**
 * One box that waits for the next build, with its program up and no source seen: starting that program is most of what bundling a module
 * takes. It serves one build and is replaced then; it is frozen while it waits, and taken away when no build comes.
 */
export class WaitingBox {
  readonly #deps: () => BoxDeps & { readonly log: Logger };
  readonly #idleMs: number;
  #waiting: Waiting | null = null;
  #timers: NodeJS.Timeout[] = [];
  /** When somebody asked last. */
  #asked = Number.NEGATIVE_INFINITY;
  #closed: boolean;

  /** `idleMs`: how long it waits; 0: none does. */
  constructor({ deps, idleMs }: { deps: () => BoxDeps & { readonly log: Logger }; idleMs: number }) {
    this.#deps = deps;
    this.#idleMs = idleMs;
    this.#closed = idleMs === 0;
  }

  /** The box that waits, when it is as wished; it is the caller's from here on. A like one is made for the next build. */
  async take(wish: Wish): Promise<StandingBox | null> {
    this.#expect(wish);
    const waiting = this.#waiting;
    if (waiting?.key !== keyOf(wish)) return null;
    waiting.isTaken = true;
    this.#waiting = null;
    const standing = await waiting.standing;
    await standing?.box.thaw();
    return standing;
  }

  /** Takes it away and makes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#empty("the worker is shutting down");
  }

  #expect(wish: Wish): void {
    if (this.#closed) return;
    for (const timer of this.#timers) clearTimeout(timer);
    const isFollowing = performance.now() - this.#asked < FOLLOWS_WITHIN_MS;
    this.#asked = performance.now();
    this.#timers = [
      setTimeout(() => this.#fill(wish), REPLACED_AFTER_MS[isFollowing ? "following" : "alone"]),
      setTimeout(() => void this.#empty("no build came"), this.#idleMs).unref(),
    ];
  }

  #fill(wish: Wish): void {
    const key = keyOf(wish);
    if (this.#waiting?.key === key) return;
    void this.#empty("another box is wished");
    const waiting: Waiting = { key, standing: this.#make(wish, () => waiting.isTaken), isTaken: false };
    this.#waiting = waiting;
    void waiting.standing.then(async (standing) => {
      await standing?.box.ended;
      // Where it waited, by itself.
      if (this.#waiting !== waiting) return;
      this.#waiting = null;
      if (standing !== null) await this.#discard(standing, "it ended before its build");
    });
  }

  async #make(wish: Wish, isTaken: () => boolean): Promise<StandingBox | null> {
    const { log } = this.#deps();
    let standing: StandingBox | null = null;
    try {
      standing = await standingBox(`builder_${randomUUID().replaceAll("-", "")}`, wish, this.#deps());
      if (!isTaken()) await standing.box.freeze();
      return standing;
    } catch (error) {
      log.error({ err: error }, "a box for the next build could not be made");
      if (standing !== null) await this.#discard(standing, "it could not be frozen");
      return null;
    }
  }

  async #empty(reason: string): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = null;
    const standing = await waiting?.standing;
    if (standing) await this.#discard(standing, reason);
  }

  async #discard(standing: StandingBox, reason: string): Promise<void> {
    await discard(standing, reason).catch((error: unknown) =>
      this.#deps().log.error({ err: error, box: standing.box.id }, "a box that waited could not be taken away"),
    );
  }
}

/** Boxes of one key are as good as one another. */
const keyOf = ({ image, rootfs, start, args, env, cwd, limits, network }: Wish): string =>
  JSON.stringify([image, rootfs, start, args, env, cwd, limits, network]);
