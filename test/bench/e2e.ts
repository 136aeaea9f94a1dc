import { availableParallelism } from "node:os";
import type { Bench, Context } from "./bench.ts";
import { contenders } from "./e2e/contenders.ts";
import { inTurns, type Phase, ratePerSecond } from "./e2e/phase.ts";
import { e2eChart, e2eTable, p50, p99 } from "./e2e/tables.ts";
import { startGenerator } from "./load/generator.ts";
import { evenly, poisson } from "./load/schedule.ts";

const CONCURRENCY = 4 * availableParallelism();
const SEED = 20_261;

export const e2e: Bench = {
  name: "e2e",
  about:
    "A whole call over HTTP, in a fresh container each, beside fresh containers without a gateway and beside processes that serve all requests: as many as go, at half of that, and one a second.",
  counts: "seconds in a block",
  usual: { blocks: 3, count: 5 },

  async run(context: Context, { blocks, count: seconds }) {
    const generator = startGenerator(context.after);
    const all = await contenders(context, CONCURRENCY);
    const [ours, crun, ...reused] = all;
    const run = (phase: Phase, of: typeof all) => inTurns(generator, phase, of, blocks);

    context.say("e2e: as many as go");
    const most = await run(() => ({ kind: "closed", concurrency: CONCURRENCY, seconds }), all);
    const half = ratePerSecond(most[0]!).median / 2;
    const crunHalf = ratePerSecond(most[1]!).median / 2;
    context.say("e2e: one a second");
    const sparse = await run(() => ({ kind: "open", due_ms: evenly(1, seconds) }), all);
    context.say(`e2e: ${half.toFixed(1)} a second`);
    const steady = await run(
      ({ name }) => ({ kind: "open", due_ms: evenly(name === crun!.name ? crunHalf : half, seconds) }),
      all,
    );
    const uneven = await run(
      (_, block) => ({ kind: "open", due_ms: poisson(half, seconds, SEED + block) }),
      [ours!, ...reused],
    );

    const framework = 2;
    return {
      tables: [
        e2eTable(`As many as go, ${CONCURRENCY} at the same time`, most),
        e2eTable("One a second", sparse),
        e2eTable("Half as many as go with ours, evenly spaced (crun: half of its own)", steady),
        e2eTable("The same rate, arriving independently of each other (Poisson, the same moments for all)", uneven),
      ],
      ratios: [
        {
          measure: "fresh requests a second at saturation, 2 cores: ours through the gateway ÷ crun + node in a loop",
          value: ratePerSecond(most[0]!).median / ratePerSecond(most[1]!).median,
          unit: "",
          wanted: { atLeast: 8 },
        },
        {
          measure: "end to end p50, 1/s: ours ÷ a reused process (functions-framework) behind a hop",
          value: p50(sparse[0]!) / p50(sparse[framework]!),
          unit: "",
          wanted: { atMost: 1.5 },
        },
        {
          measure: "end to end p50, half load: ours ÷ a reused process (functions-framework) behind a hop",
          value: p50(steady[0]!) / p50(steady[framework]!),
          unit: "",
          wanted: { atMost: 1.5 },
        },
        {
          measure: "ours: p50 at 1/s ÷ p50 at half load",
          value: p50(sparse[0]!) / p50(steady[0]!),
          unit: "",
          wanted: { atMost: 1.5 },
        },
        {
          measure: "ours: p99 ÷ p50 at half load",
          value: p99(steady[0]!) / p50(steady[0]!),
          unit: "",
          wanted: { atMost: 3 },
        },
      ],
      charts: [
        e2eChart("Requests a second, as many as go", "/s", most, ratePerSecond),
        e2eChart("End to end p50, one a second", "ms", sparse),
        e2eChart("End to end p50, half load", "ms", steady),
      ],
      notes: [
        "Load comes from a process of its own, on the same cores. At a rate it is open: a request is due at its moment whatever became of those before, and its latency counts from then.",
        "crun + node has no gateway and no HTTP: the generator itself starts containers and counts to the first byte, which flatters it.",
        "The reused processes stand behind a proxy of Hono on @hono/node-server, as our gateway is: the hop is there, admission, queue, data channel and bill are not, which flatters them.",
        ...all.flatMap(({ honesty }) => honesty ?? []),
      ],
    };
  },
};
