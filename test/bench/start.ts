import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { startGenerator } from "./load/generator.ts";
import { interleave, type Subject, summarise } from "./measure/blocks.ts";
import { boxed } from "./peers/boxed.ts";
import { bubblewrap, bubblewrapWithCgroups } from "./peers/bubblewrap.ts";
import { ociRuntime } from "./peers/oci.ts";
import { NODE, ONCE, peersRoot } from "./peers/root.ts";
import { spawned } from "./peers/spawned.ts";
import { WAYS } from "./peers/ways.ts";
import { summaryChart, summaryTable } from "./report/summary-table.ts";

const PROGRAM = [NODE, ONCE];

export const start: Bench = {
  name: "start",
  about:
    "A fresh start for one request, at the worker: from the wish to the first byte of the answer, of a function that was never called.",
  counts: "starts in a block",
  usual: { blocks: 5, count: 10 },

  async run({ dir, after, native, system }, { blocks, count }) {
    const mayfly = await system();
    const limits = mayfly.hello.settings;
    const root = peersRoot(mayfly, dir, after);
    const command = bubblewrap(native.within, root, PROGRAM);
    const oci = { dir, root, args: PROGRAM, limits, cgroup: `/mayfly/bench-oci-${process.pid}`, slots: 1, after };
    const generator = startGenerator(after);
    const ours: Subject[] = [];
    for (const way of WAYS) ours.push(await boxed(way, mayfly, { dir, after }));
    const subjects: Subject[] = [
      ...ours,
      spawned(generator, "crun + node", ociRuntime("crun", oci)[0]!, "first byte"),
      spawned(generator, "runc + node", ociRuntime("runc", oci)[0]!, "first byte"),
      await bubblewrapWithCgroups({ command, limits, counts: "first byte", generator, after }),
      spawned(
        generator,
        "node, no container",
        { file: join(root, NODE), args: [join(root, ONCE)], cwd: "/" },
        "first byte",
      ),
    ];
    const found = await interleave(subjects, { blocks, count, warmUp: Math.min(3, count), atMost_s: 60 });
    const measured = found.map((blocksOf, i) => ({
      name: subjects[i]!.name,
      summary: summarise(blocksOf),
      ours: i < ours.length,
    }));
    const best = Math.min(...measured.slice(0, ours.length).map(({ summary }) => summary.p50.median));
    return {
      tables: [summaryTable("Fresh start to first byte", measured)],
      ratios: [
        {
          measure: "fresh start to first byte, p50: crun + node ÷ ours",
          value: measured[ours.length]!.summary.p50.median / best,
          unit: "",
          wanted: { atLeast: 10 },
        },
      ],
      charts: [summaryChart("Fresh start to first byte, p50", measured)],
      notes: [
        "The same node binary and the same built module, from the same files. The peers load it, hand it one request and print the answer, with no server, protocol or warm-up between; ours speaks its protocol and warms up before user code loads, as in service.",
        "CPU is of everything that one start takes, taking it down included; what kernel threads do for it is nobody's.",
        "bubblewrap with our cgroup writes counts from the making of the group; its group is removed after the answer, as ours is.",
      ],
    };
  },
};
