import type { Bench } from "./bench.ts";
import { type Generator, startGenerator } from "./load/generator.ts";
import { quantile } from "./measure/quantile.ts";
import { figure, mebibytes } from "./report/figure.ts";
import { deployMany } from "./system/many.ts";

export const functions: Bench = {
  name: "functions",
  about:
    "Whether a function among many that was never called answers like a busy one: each called once, in random order, and one called again and again, in turns.",
  counts: "functions",
  usual: { blocks: 1, count: 100 },

  async run({ after, say, system }, { count }) {
    const mayfly = await system();
    const many = await deployMany(mayfly, count, say);
    const generator = startGenerator(after);
    const call = (name: string) => once(generator, `${mayfly.system.url}/fn/${name}`);
    for (let i = 0; i < Math.min(20, count); i += 1) await call("hello");
    const cold: number[] = [];
    const hot: number[] = [];
    for (const name of shuffled(many.names)) {
      cold.push(await call(name));
      hot.push(await call("hello"));
    }
    const row = (name: string, values: readonly number[]) => [
      name,
      ...[0.5, 0.95, 0.99].map((q) => figure(quantile(values, q))),
      String(values.length),
    ];
    return {
      tables: [
        {
          caption: `One call at a time, ${count} functions`,
          columns: ["", "p50 ms", "p95 ms", "p99 ms", "n"],
          rows: [row("each function once, its first call", cold), row("one function, called before", hot)],
        },
      ],
      ratios: [
        {
          measure: `${count} functions, each called once in random order: p99 ÷ p50 of a single hot one`,
          value: quantile(cold, 0.99) / quantile(hot, 0.5),
          unit: "",
          wanted: { atMost: 5 },
        },
        {
          measure: `idle memory for each of ${count} functions deployed`,
          value: many.bytesEach / 1024 / 1024,
          unit: "MiB",
          wanted: { atMost: 0.1 },
        },
      ],
      charts: [],
      notes: [
        `Memory is the growth of all our processes (PSS) over the deploys, their builds included: ${mebibytes(many.bytesEach * count)} MiB. A deploy took ${figure(many.secondsEach)} s, two at the same time.`,
      ],
    };
  },
};

async function once(generator: Generator, url: string): Promise<number> {
  const run = await generator.run({
    target: { kind: "http", url },
    plan: { kind: "calls", concurrency: 1, calls: 1, atMost_s: 1 },
  });
  if (run.reason !== null) throw new Error(run.reason);
  return run.latencies_ms[0]!;
}

/** Fisher and Yates. */
function shuffled<T>(values: readonly T[]): T[] {
  const list = [...values];
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
