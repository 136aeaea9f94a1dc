import type { BuildUsage } from "@mayfly/contract";
import type { RunProgram } from "./dockerfile/execute/ports.ts";
import type { BoxSession, BoxUsage } from "./session.ts";

/** A box whose work is done has this long to end by itself. */
const ENDS_WITHIN_MS = 2_000;

/** What is known of a box besides its counters. */
interface Ran {
  readonly wall_us: number;
  readonly memory_limit_bytes: number;
  readonly disk_bytes?: number;
}

/** Adds up what the boxes of a build used. */
export class Meter {
  #usage: BuildUsage = {
    ...{ cpu_us: 0, memory_peak_bytes: 0, memory_limit_bytes: 0, wall_us: 0, disk_bytes: 0 },
    ...{ net_rx_bytes: 0, net_tx_bytes: 0 },
  };

  readonly #ending: Promise<void>[] = [];

  /** When all boxes have ended. */
  async total(): Promise<BuildUsage> {
    await Promise.all(this.#ending);
    return this.#usage;
  }

  /**
   * Uses a box, and sees to it that it ends and is counted, whatever becomes of the work. What comes next does not wait for the end of a
   * box whose work is done; why work failed may be told by its end.
   */
  async over<T>(
    session: BoxSession,
    memory_limit_bytes: number,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    const cancel = () => session.stop("it was cancelled");
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    const ending = session.ended.then(({ usage, wall_us }) => {
      signal.removeEventListener("abort", cancel);
      this.add(usage, { wall_us, memory_limit_bytes });
    });
    this.#ending.push(ending);
    ending.catch(() => {}); // Whoever asks for the total is told.
    try {
      const result = await work();
      const late = setTimeout(() => session.stop("its work is done"), ENDS_WITHIN_MS);
      const inTime = () => clearTimeout(late);
      ending.then(inTime, inTime);
      return result;
    } catch (error) {
      session.stop("its work failed");
      await ending;
      throw error;
    }
  }

  /** Runs programs and counts what they used. */
  counting(run: RunProgram): RunProgram {
    return async (request, signal) => {
      const result = await run(request, signal);
      this.add(result.used, result.used);
      return result;
    };
  }

  /** What a box used that somebody else saw to. */
  add(usage: BoxUsage, { wall_us, memory_limit_bytes, disk_bytes = 0 }: Ran): void {
    const before = this.#usage;
    this.#usage = {
      cpu_us: both(before.cpu_us, usage.cpu_us, sum),
      memory_peak_bytes: both(before.memory_peak_bytes, usage.memory_peak_bytes, Math.max),
      memory_limit_bytes: Math.max(before.memory_limit_bytes, memory_limit_bytes),
      wall_us: before.wall_us + wall_us,
      disk_bytes: before.disk_bytes + disk_bytes,
      net_rx_bytes: both(before.net_rx_bytes, usage.net_rx_bytes, sum),
      net_tx_bytes: both(before.net_tx_bytes, usage.net_tx_bytes, sum),
    };
  }
}

/** What was not counted once is not known in all. */
const both = (a: number | null, b: number | null, of: (a: number, b: number) => number): number | null =>
  a === null || b === null ? null : of(a, b);
const sum = (a: number, b: number): number => a + b;
