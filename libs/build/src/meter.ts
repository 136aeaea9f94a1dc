import type { BuildResult, CgroupUsage } from "@mayfly/contract";
import type { BoxSession } from "./session.ts";

/** A box whose work is done has this long to end by itself. */
const ENDS_WITHIN_MS = 2_000;

/** Adds up what the boxes of a build used. */
export class Meter {
  #cpu_us: number | null = 0;
  #memory_peak_bytes: number | null = 0;
  #wall_us = 0;

  get usage(): NonNullable<BuildResult["usage"]> {
    return { cpu_us: this.#cpu_us, memory_peak_bytes: this.#memory_peak_bytes, wall_us: this.#wall_us };
  }

  /** Uses a box, and sees to it that it ends and is counted, whatever becomes of the work. */
  async over<T>(session: BoxSession, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const cancel = () => session.stop("it was cancelled");
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    let late: NodeJS.Timeout | undefined;
    try {
      const result = await work();
      late = setTimeout(() => session.stop("its work is done"), ENDS_WITHIN_MS);
      return result;
    } catch (error) {
      session.stop("its work failed");
      throw error;
    } finally {
      const { usage, wall_us } = await session.ended;
      clearTimeout(late);
      signal.removeEventListener("abort", cancel);
      this.add(usage, wall_us);
    }
  }

  /** What a box used that somebody else saw to. */
  add(usage: CgroupUsage, wall_us: number): void {
    this.#cpu_us = this.#cpu_us === null || usage.cpu_us === null ? null : this.#cpu_us + usage.cpu_us;
    const peak = usage.memory_peak_bytes;
    this.#memory_peak_bytes =
      this.#memory_peak_bytes === null || peak === null ? null : Math.max(this.#memory_peak_bytes, peak);
    this.#wall_us += wall_us;
  }
}
