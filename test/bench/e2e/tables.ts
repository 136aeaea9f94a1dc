import { quantile, type Spread, spreadOf } from "../measure/quantile.ts";
import { figure, withRange } from "../report/figure.ts";
import type { Chart, Table } from "../report/result.ts";
import { ratePerSecond, type Served } from "./phase.ts";

const all = ({ runs }: Served): number[] => runs.flatMap((run) => run.latencies_ms);
const p50OfBlocks = ({ runs }: Served): Spread => spreadOf(runs.map((run) => quantile(run.latencies_ms, 0.5)));

export const p50 = (served: Served): number => p50OfBlocks(served).median;
export const p99 = (served: Served): number => quantile(all(served), 0.99);

export const e2eTable = (caption: string, served: readonly Served[]): Table => ({
  caption,
  columns: ["", "answers/s (range)", "p50 ms (range)", "p95 ms", "p99 ms", "CPU ms", "n", "failed"],
  rows: served.map((each) => [
    each.contender.name,
    withRange(ratePerSecond(each)),
    withRange(p50OfBlocks(each)),
    figure(quantile(all(each), 0.95)),
    figure(p99(each)),
    figure(each.cpu_ms),
    String(all(each).length),
    String(each.runs.reduce((sum, run) => sum + run.failures, 0)),
  ]),
});

export const e2eChart = (
  title: string,
  unit: string,
  served: readonly Served[],
  of: (served: Served) => Spread = p50OfBlocks,
): Chart => ({
  title,
  unit,
  bars: served.map((each) => {
    const { median, low, high } = of(each);
    return { label: each.contender.name, value: median, low, high, ours: each.contender.ours };
  }),
});
