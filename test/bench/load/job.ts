import type { Command } from "../peers/command.ts";

/** What the generator is asked to do. */
export interface LoadJob {
  readonly target: Target;
  readonly plan: Plan;
}

export type Target =
  /** Kept connections, as many as it takes. An answer that is not 200 is a failure. */
  | { readonly kind: "http"; readonly url: string }
  /** Each request starts a program; as many at the same time as there are commands, the rest waits. */
  | { readonly kind: "commands"; readonly commands: readonly Command[]; readonly counts: Counts };

/** What of a program is its answer. Its place is free again when it has ended. */
export type Counts = "first byte" | "end";

export type Plan =
  /** So many at the same time, each followed by the next. */
  | { readonly kind: "closed"; readonly concurrency: number; readonly seconds: number }
  /** So many calls, or as many of them as begin in the time. */
  | { readonly kind: "calls"; readonly concurrency: number; readonly calls: number; readonly atMost_s: number }
  /** At these moments, in ms, whatever has become of those before (no coordinated omission). */
  | { readonly kind: "open"; readonly due_ms: readonly number[] };

export interface LoadRun {
  /** Open: from the moment that it was due. */
  readonly latencies_ms: readonly number[];
  readonly failures: number;
  /** The first failure's reason. */
  readonly reason: string | null;
  /** Until the last has ended. */
  readonly elapsed_ms: number;
  /** CPU of starting programs and of the programs; 0 for a target that is a server. */
  readonly cpu_ms: number;
}
