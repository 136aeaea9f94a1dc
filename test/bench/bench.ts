import type { BenchNative } from "./native/build.ts";
import type { Findings } from "./report/result.ts";
import type { Mayfly } from "./system/mayfly.ts";

/** One question to the machine, in a file of its name. */
export interface Bench {
  readonly name: string;
  /** What it asks, in a sentence. */
  readonly about: string;
  /** What `--count` counts. */
  readonly counts: string;
  readonly usual: Amount;
  run(context: Context, amount: Amount): Promise<Findings>;
}

export interface Amount {
  readonly blocks: number;
  readonly count: number;
}

/** What a bench is given. */
export interface Context {
  readonly say: (line: string) => void;
  readonly native: BenchNative;
  /** A folder of the bench's own; it goes with it. */
  readonly dir: string;
  /** What the bench made and must be taken back, last first, whatever happens. */
  readonly after: AsyncDisposableStack;
  /** A whole Mayfly, started when first asked for, the same for all benches of a run. */
  system(): Promise<Mayfly>;
}
