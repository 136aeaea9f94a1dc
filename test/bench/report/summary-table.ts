import type { Summary } from "../measure/blocks.ts";
import { figure, withRange } from "./figure.ts";
import type { Chart, Table } from "./result.ts";

export interface Measured {
  readonly name: string;
  readonly summary: Summary;
  readonly ours: boolean;
}

/** Latency and CPU of subjects that ran in turns; the first is what the others are divided by. */
export function summaryTable(caption: string, measured: readonly Measured[]): Table {
  const base = measured[0]!.summary.p50.median;
  return {
    caption,
    columns: ["", "p50 ms (range)", "p95 ms", "CPU ms", "n", "p50 ÷ first"],
    rows: measured.map(({ name, summary }) => [
      name,
      withRange(summary.p50),
      figure(summary.p95_ms),
      figure(summary.cpu_ms),
      String(summary.operations),
      figure(summary.p50.median / base),
    ]),
  };
}

export const summaryChart = (title: string, measured: readonly Measured[]): Chart => ({
  title,
  unit: "ms",
  bars: measured.map(({ name, summary, ours }) => ({
    label: name,
    value: summary.p50.median,
    low: summary.p50.low,
    high: summary.p50.high,
    ours,
  })),
});
