import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Bench } from "./bench.ts";
import { type Generator, startGenerator } from "./load/generator.ts";
import { cpuMs } from "./measure/cpu.ts";
import { spreadOf } from "./measure/quantile.ts";
import { withRange } from "./report/figure.ts";
import type { Mayfly } from "./system/mayfly.ts";

const CONCURRENCY = 4;
/** Boxes are taken down after their answer: that is to be in the figure. */
const SETTLE_MS = 500;
/** Of a block. */
const AT_MOST_S = 6;

export const floor: Bench = {
  name: "floor",
  about:
    "How near the CPU of a whole call is to what the kernel alone takes for such a container: fork, namespaces, mounts, exit.",
  counts: "calls in a block",
  usual: { blocks: 5, count: 60 },

  async run({ dir, after, native, system }, { blocks, count }) {
    const mayfly = await system();
    const generator = startGenerator(after);
    const work = join(dir, "work");
    mkdirSync(work);
    const bare = () => runFloor(native.floor, 4 * count, work, mayfly.rootfs.lower);
    await bare();
    await perCall(mayfly, generator, Math.min(count, 20));
    const floors: { wall_us: number; cpu_us: number }[] = [];
    const calls: Record<string, number>[] = [];
    for (let i = 0; i < blocks; i += 1) {
      floors.push(await bare());
      calls.push(await perCall(mayfly, generator, count));
    }
    const floorCpu = spreadOf(floors.map(({ cpu_us }) => cpu_us / 1000));
    // Redis and the gateway are no part of a container; the worker, what it started and the boxes are.
    const parts = Object.keys(calls[0]!).filter((name) => name !== "gateway" && name !== "redis");
    const whole = spreadOf(calls.map((call) => parts.reduce((sum, name) => sum + call[name]!, 0)));
    return {
      tables: [
        {
          caption: "CPU for each",
          columns: ["", "CPU ms (range)"],
          rows: [
            ["bare fork + six namespaces + overlay, /proc, pivot_root + exit", withRange(floorCpu)],
            ["a call: worker, what it started, box", withRange(whole)],
            ...Object.keys(calls[0]!).map((name) => [
              `· ${name}${parts.includes(name) && name !== "worker" ? " and its boxes" : ""}`,
              withRange(spreadOf(calls.map((call) => call[name]!))),
            ]),
          ],
        },
      ],
      ratios: [
        {
          measure: "floor efficiency: CPU of the bare container ÷ CPU of a call in worker, nursery and box",
          value: floorCpu.median / whole.median,
          unit: "",
          wanted: { atLeast: 0.5 },
        },
      ],
      charts: [],
      notes: [
        `The floor is C without cgroup, ids, filter or exec (test/bench/native/floor.c), one at a time; wall time ${withRange(spreadOf(floors.map(({ wall_us }) => wall_us / 1000)))} ms. Calls come from the gateway, ${CONCURRENCY} at the same time.`,
      ],
    };
  },
};

async function runFloor(floor: string, count: number, work: string, layers: readonly string[]) {
  const { stdout } = await promisify(execFile)(floor, [String(count), work, ...layers]);
  return JSON.parse(stdout) as { wall_us: number; cpu_us: number };
}

/** CPU in ms of each of our processes, for one call. */
async function perCall(mayfly: Mayfly, generator: Generator, calls: number): Promise<Record<string, number>> {
  const processes = Object.entries(mayfly.processes());
  const before = processes.map(([, pid]) => cpuMs([pid]));
  const run = await generator.run({
    target: { kind: "http", url: `${mayfly.system.url}/fn/hello` },
    plan: { kind: "calls", concurrency: CONCURRENCY, calls, atMost_s: AT_MOST_S },
  });
  if (run.reason !== null) throw new Error(run.reason);
  await sleep(SETTLE_MS);
  return Object.fromEntries(
    processes.map(([name, pid], i) => [name, (cpuMs([pid]) - before[i]!) / run.latencies_ms.length]),
  );
}
