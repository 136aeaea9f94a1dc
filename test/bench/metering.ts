import type { Bench } from "./bench.ts";
import { median, type Spread, spreadOf } from "./measure/quantile.ts";
import { figure, withRange } from "./report/figure.ts";
import type { Mayfly } from "./system/mayfly.ts";

const BURN_US = 5_000;
const HOLD_BYTES = 16 * 1024 * 1024;

/** Uses as much as it is told to, and says what the kernel counted for its own process meanwhile (getrusage(2)). */
const SOURCE = `export default async function (request) {
  const query = new URL(request.url).searchParams;
  const [burn, hold] = [Number(query.get("burn")), Number(query.get("hold"))];
  const began = process.cpuUsage();
  let used = 0;
  while (used < burn) {
    const now = process.cpuUsage(began);
    used = now.user + now.system;
  }
  const held = Buffer.alloc(hold, 1);
  return Response.json({ used_us: used, held_bytes: held.byteLength });
}
`;

interface Call {
  readonly truth: { readonly used_us: number; readonly held_bytes: number };
  readonly cpu_us: number;
  readonly peak_bytes: number;
}

export const metering: Bench = {
  name: "metering",
  about:
    "Whether a bill tells the truth: 5 ms of CPU and 16 MiB of memory, used on purpose, beside calls that use nothing.",
  counts: "calls of each kind",
  usual: { blocks: 1, count: 20 },

  async run({ system }, { count }) {
    const mayfly = await system();
    await mayfly.deploy("metered", SOURCE);
    const call = (burn: number, hold: number) => callOnce(mayfly, `metered?burn=${burn}&hold=${hold}`);
    await call(BURN_US, HOLD_BYTES);
    const calls = { nothing: [] as Call[], burn: [] as Call[], hold: [] as Call[] };
    for (let i = 0; i < count; i += 1) {
      calls.nothing.push(await call(0, 0));
      calls.burn.push(await call(BURN_US, 0));
      calls.hold.push(await call(0, HOLD_BYTES));
    }
    const cpu = difference(calls.burn, calls.nothing, (each) => each.cpu_us / 1000);
    const burnt = median(calls.burn.map(({ truth }) => truth.used_us)) / 1000;
    const peak = difference(calls.hold, calls.nothing, (each) => each.peak_bytes / 1024 / 1024);
    const held = median(calls.hold.map(({ truth }) => truth.held_bytes)) / 1024 / 1024;
    return {
      tables: [
        {
          caption: "What the bill has more than that of a call that uses nothing, medians (range of single calls)",
          columns: ["", "truth", "billed", "off by %"],
          rows: [
            ["CPU of the handler, ms", figure(burnt), withRange(cpu), figure(error(cpu.median, burnt))],
            ["memory peak, MiB", figure(held), withRange(peak), figure(error(peak.median, held))],
          ],
        },
      ],
      ratios: [
        { measure: "metering: billed CPU of a 5 ms burn, off by", value: error(cpu.median, burnt) },
        { measure: "metering: billed peak of 16 MiB held, off by", value: error(peak.median, held) },
      ].map((ratio) => ({ ...ratio, unit: "%", wanted: { atMost: 10 } })),
      charts: [],
      notes: [
        `A call that uses nothing is billed ${figure(median(calls.nothing.map((each) => each.cpu_us)) / 1000)} ms of CPU behind loading and a peak of ${figure(median(calls.nothing.map((each) => each.peak_bytes)) / 1024 / 1024)} MiB.`,
      ],
    };
  },
};

async function callOnce(mayfly: Mayfly, path: string): Promise<Call> {
  const answer = await mayfly.system.call(path);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  const truth = (await answer.json()) as Call["truth"];
  const { usage } = (await mayfly.system.record(answer)).bill;
  return {
    truth,
    cpu_us: (usage.cpu_us ?? Number.NaN) - (usage.init_cpu_us ?? Number.NaN),
    peak_bytes: usage.memory_peak_bytes ?? Number.NaN,
  };
}

function difference(more: readonly Call[], less: readonly Call[], of: (call: Call) => number): Spread {
  const base = median(less.map(of));
  return spreadOf(more.map((call) => of(call) - base));
}

const error = (billed: number, truth: number): number => (100 * Math.abs(billed - truth)) / truth;
