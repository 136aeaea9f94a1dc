import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { startGenerator } from "./load/generator.ts";
import { memoryOf } from "./measure/memory.ts";
import { residueOf } from "./measure/residue.ts";
import { figure } from "./report/figure.ts";

const CONCURRENCY = 8;
const REST_MS = 1_000;
/** A slow system gets through fewer calls in the time that there is; growth is told for a thousand. */
const AT_MOST_S_EACH = 0.06;

export const churn: Bench = {
  name: "churn",
  about: "What calls leave behind: growth over a thousand of them, after one second of rest.",
  counts: "calls, and half as many before them",
  usual: { blocks: 1, count: 1_000 },

  async run({ after, system }, { count }) {
    const mayfly = await system();
    const generator = startGenerator(after);
    const processes = mayfly.processes();
    const call = async (calls: number): Promise<number> => {
      const run = await generator.run({
        target: { kind: "http", url: `${mayfly.system.url}/fn/hello` },
        plan: { kind: "calls", concurrency: CONCURRENCY, calls, atMost_s: calls * AT_MOST_S_EACH },
      });
      if (run.reason !== null) throw new Error(run.reason);
      await sleep(REST_MS);
      return run.latencies_ms.length;
    };
    const look = () => ({ counts: residueOf(processes), memory: Object.values(processes).map(memoryOf) });
    await call(Math.ceil(count / 2));
    const before = look();
    const calls = await call(count);
    const now = look();

    const scale = 1000 / calls;
    const rows = Object.entries(now.counts).map(([name, value]) => {
      const earlier = before.counts[name] ?? null;
      const growth = value === null || earlier === null ? null : (value - earlier) * scale;
      return { name, earlier, value, growth };
    });
    const rss = Object.keys(processes).map((name, i) => ({
      name,
      earlier: before.memory[i]!.rss_bytes / 2 ** 20,
      value: now.memory[i]!.rss_bytes / 2 ** 20,
    }));
    const shown = (value: number | null) =>
      value === null ? "not told" : Number.isInteger(value) ? String(value) : figure(value);
    const worst = Math.max(0, ...rows.map(({ growth }) => growth ?? 0));
    const rssGrowth = rss.reduce((sum, { earlier, value }) => sum + value - earlier, 0) * scale;
    return {
      tables: [
        {
          caption: `Before and after ${calls} calls`,
          columns: ["", "before", "after", "growth for 1,000 calls"],
          rows: [
            ...rows.map(({ name, earlier, value, growth }) => [name, shown(earlier), shown(value), shown(growth)]),
            ...rss.map(({ name, earlier, value }) => [
              `RSS of ${name}, MiB`,
              figure(earlier),
              figure(value),
              figure((value - earlier) * scale),
            ]),
          ],
        },
      ],
      ratios: [
        {
          measure:
            "growth for 1,000 calls: what grew most of descriptors, mounts, cgroups, dying memory cgroups, network namespaces",
          value: worst,
          unit: "",
          wanted: { atMost: 0 },
        },
        {
          measure: "growth for 1,000 calls: RSS of all our processes",
          value: rssGrowth,
          unit: "MiB",
          wanted: { atMost: 1 },
        },
      ],
      charts: [],
      notes: [
        "Cgroups, dying ones and network namespaces are the whole machine's: what others do on it is in the figures.",
      ],
    };
  },
};
