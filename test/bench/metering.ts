import type { Bench } from "./bench.ts";
import { median, type Spread, spreadOf } from "./measure/quantile.ts";
import { figure, withRange } from "./report/figure.ts";
import { type Mayfly, startMayfly } from "./system/mayfly.ts";

const BURN_US = 5_000;
const HOLD_BYTES = 16 * 1024 * 1024;

/**
 * Uses as much as it is told to, and says what the kernel counted for its own process meanwhile (getrusage(2)). Between two looks it
 * computes for some 50 µs and makes no object: what a burn takes besides its time would be on the bill as well.
 */
const SOURCE = `let state = 1;
export default async function (request) {
  const query = new URL(request.url).searchParams;
  const [burn, hold] = [Number(query.get("burn")), Number(query.get("hold"))];
  const began = process.cpuUsage();
  let used = 0;
  while (used < burn) {
    for (let i = 0; i < 20_000; i += 1) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const now = process.cpuUsage(began);
    used = now.user + now.system;
  }
  const held = Buffer.alloc(hold, 1);
  return Response.json({ used_us: used, held_bytes: held.byteLength, state });
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
    "Whether a bill tells the truth, whichever way its box was made: 5 ms of CPU and 16 MiB of memory, used on purpose, beside calls that use nothing.",
  counts: "calls of each kind",
  usual: { blocks: 1, count: 20 },

  async run({ system, after, say }, { count }) {
    const forking = await system();
    say("starting a Mayfly that boots a runtime in each box");
    const booting = await startMayfly({ MAYFLY_NURSERY: "off", MAYFLY_READY_MEMORY: "0" });
    after.defer(async () => void (await booting.system.stop()));
    const paths = [
      { name: "forked or ready", ...(await measure(forking, count)) },
      { name: "booted", ...(await measure(booting, count)) },
    ];
    return {
      tables: [
        {
          caption: "What the bill has more than that of a call that uses nothing, medians (range of single calls)",
          columns: ["", "truth", "billed", "off by %"],
          rows: paths.flatMap(({ name, cpu, peak }) => [
            [`${name}: CPU of the handler, ms`, figure(cpu.truth), withRange(cpu.billed), figure(off(cpu))],
            [`${name}: memory peak, MiB`, figure(peak.truth), withRange(peak.billed), figure(off(peak))],
          ]),
        },
      ],
      ratios: paths
        .flatMap(({ name, cpu, peak }) => [
          { measure: `metering, ${name}: billed CPU of a 5 ms burn, off by`, value: off(cpu) },
          { measure: `metering, ${name}: billed peak of 16 MiB held, off by`, value: off(peak) },
        ])
        .map((ratio) => ({ ...ratio, unit: "%", wanted: { atMost: 10 } })),
      charts: [],
      notes: paths.map(
        ({ name, nothing }) =>
          `A call that uses nothing (${name}) is billed ${figure(nothing.cpu_ms)} ms of CPU behind loading and a peak of ${figure(nothing.peak_mib)} MiB.`,
      ),
    };
  },
};

interface Billed {
  readonly truth: number;
  /** What is billed more than for a call that uses nothing. */
  readonly billed: Spread;
}

async function measure(mayfly: Mayfly, count: number) {
  await mayfly.deploy("metered", SOURCE);
  const call = (burn: number, hold: number) => callOnce(mayfly, `metered?burn=${burn}&hold=${hold}`);
  await call(BURN_US, HOLD_BYTES);
  const calls = { nothing: [] as Call[], burn: [] as Call[], hold: [] as Call[] };
  for (let i = 0; i < count; i += 1) {
    calls.nothing.push(await call(0, 0));
    calls.burn.push(await call(BURN_US, 0));
    calls.hold.push(await call(0, HOLD_BYTES));
  }
  const ms = (each: Call) => each.cpu_us / 1000;
  const mib = (each: Call) => each.peak_bytes / 1024 / 1024;
  const cpu: Billed = {
    truth: median(calls.burn.map(({ truth }) => truth.used_us)) / 1000,
    billed: difference(calls.burn, calls.nothing, ms),
  };
  const peak: Billed = {
    truth: median(calls.hold.map(({ truth }) => truth.held_bytes)) / 1024 / 1024,
    billed: difference(calls.hold, calls.nothing, mib),
  };
  const nothing = { cpu_ms: median(calls.nothing.map(ms)), peak_mib: median(calls.nothing.map(mib)) };
  return { cpu, peak, nothing };
}

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

/** In per cent of the truth. */
const off = ({ truth, billed }: Billed): number => (100 * Math.abs(billed.median - truth)) / truth;
