import { setTimeout as sleep } from "node:timers/promises";
import type { Generator } from "../load/generator.ts";
import type { LoadRun, Plan } from "../load/job.ts";
import { cpuMs } from "../measure/cpu.ts";
import { type Spread, spreadOf } from "../measure/quantile.ts";
import type { Contender } from "./contenders.ts";

/** What each contender is asked, block by block. */
export type Phase = (contender: Contender, block: number) => Plan;

export interface Served {
  readonly contender: Contender;
  readonly runs: readonly LoadRun[];
  /** Mean over all requests, taking down included. */
  readonly cpu_ms: number;
}

/** What was begun for one contender is over before the next one is asked. */
const SETTLE_MS = 400;

/** A, B, C, A, B, C …, each for a block. @throws Error when one of them serves nothing at all */
export async function inTurns(
  generator: Generator,
  phase: Phase,
  contenders: readonly Contender[],
  blocks: number,
): Promise<Served[]> {
  const served = contenders.map((contender) => ({ contender, runs: [] as LoadRun[], cpu: 0 }));
  for (let block = 0; block < blocks; block += 1) {
    for (const each of served) {
      const { contender } = each;
      const before = cpuMs(contender.pids());
      const run = await generator.run({ target: contender.target, plan: phase(contender, block) });
      await sleep(SETTLE_MS);
      if (run.latencies_ms.length === 0) throw new Error(`${contender.name}: ${run.reason ?? "no request at all"}`);
      each.runs.push(run);
      each.cpu += cpuMs(contender.pids()) - before + run.cpu_ms;
    }
  }
  return served.map(({ contender, runs, cpu }) => ({
    contender,
    runs,
    cpu_ms: cpu / runs.reduce((sum, run) => sum + run.latencies_ms.length, 0),
  }));
}

/** Answers a second, block by block. */
export const ratePerSecond = ({ runs }: Served): Spread =>
  spreadOf(runs.map((run) => (1000 * run.latencies_ms.length) / run.elapsed_ms));
