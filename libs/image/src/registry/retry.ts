import { setTimeout as sleep } from "node:timers/promises";
import { ImageError } from "../error.ts";
import { Unavailable } from "./failure.ts";

/** How often and how soon to try again. */
export interface RetryPolicy {
  /** Tries in a row that achieved nothing, the first one included. */
  readonly attempts: number;
  readonly first_ms: number;
  readonly most_ms: number;
  /** A registry that asks for a longer wait than this is given up. */
  readonly longest_wait_ms: number;
}

export const RETRY: RetryPolicy = { attempts: 5, first_ms: 200, most_ms: 10_000, longest_wait_ms: 60_000 };

/** Exponential with full jitter, so that clients that failed together do not come back together; never less than was asked for. */
export function backOffMs(failures: number, asked_ms: number, policy: RetryPolicy, random = Math.random()): number {
  const most = Math.min(policy.most_ms, policy.first_ms * 2 ** (failures - 1));
  return Math.max(asked_ms, most * (0.5 + random / 2));
}

/** Counts failures in a row and waits between them. */
export class Patience {
  readonly #policy: RetryPolicy;
  readonly #signal: AbortSignal;
  #failures = 0;

  constructor(policy: RetryPolicy, signal: AbortSignal) {
    this.#policy = policy;
    this.#signal = signal;
  }

  /** Something was achieved: what failed before counts no more. */
  renew(): void {
    this.#failures = 0;
  }

  /** Waits for the next try. @throws what is no Unavailable at once; ImageError `unavailable` when there is no next try */
  async after(error: unknown): Promise<void> {
    this.#signal.throwIfAborted();
    if (!(error instanceof Unavailable)) throw error;
    this.#failures += 1;
    const { attempts, longest_wait_ms } = this.#policy;
    if (error.wait_ms > longest_wait_ms) {
      const seconds = Math.ceil(error.wait_ms / 1000);
      throw new ImageError("unavailable", `${error.message}; it asks to come back in ${seconds} s`, error);
    }
    if (this.#failures >= attempts) {
      throw new ImageError(
        "unavailable",
        `${error.message}; ${attempts} tries came to nothing, try again later`,
        error,
      );
    }
    await sleep(backOffMs(this.#failures, error.wait_ms, this.#policy), undefined, { signal: this.#signal });
  }
}

/** Runs `work` until it succeeds, fails for good, or patience ends. Only for what may be done twice. */
export async function retrying<T>(work: () => Promise<T>, policy: RetryPolicy, signal: AbortSignal): Promise<T> {
  const patience = new Patience(policy, signal);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await patience.after(error);
    }
  }
}
