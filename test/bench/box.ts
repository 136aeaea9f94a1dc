import { join } from "node:path";
import { BUILD } from "../../infra/src/root.ts";
import { TestBoxes } from "../../libs/container/src/testing/boxes.ts";
import type { Bench } from "./bench.ts";
import { startGenerator } from "./load/generator.ts";
import { interleave, type Subject, summarise } from "./measure/blocks.ts";
import { bubblewrap, bubblewrapWithCgroups } from "./peers/bubblewrap.ts";
import { ociRuntime } from "./peers/oci.ts";
import { spawned } from "./peers/spawned.ts";
import { summaryChart, summaryTable } from "./report/summary-table.ts";

const PROGRAM = ["/bin/probe", "exit", "0"];

export const box: Bench = {
  name: "box",
  about:
    "What a container costs by itself: make it, run a static program that does nothing, read its usage, remove it.",
  counts: "containers in a block",
  usual: { blocks: 5, count: 20 },

  async run({ dir, after, native }, { blocks, count }) {
    const compiled = join(BUILD, "native");
    const boxes = await TestBoxes.open({
      native: {
        launcher: join(compiled, "launcher"),
        addon: join(compiled, "native.node"),
        probe: join(compiled, "probe"),
        nursery: join(compiled, "nursery"),
      },
    });
    after.defer(() => boxes.close());
    const generator = startGenerator(after);
    const root = boxes.layers[1]!;
    const { limits } = boxes.spec(PROGRAM);
    const oci = { dir, root, args: PROGRAM, limits, cgroup: `/mayfly/${boxes.instance}-oci`, slots: 1, after };
    const command = bubblewrap(native.within, root, PROGRAM);
    const subjects: Subject[] = [
      ours(boxes),
      await bubblewrapWithCgroups({ command, limits, counts: "end", generator, after }),
      spawned(generator, "bubblewrap", command, "end"),
      spawned(generator, "crun", ociRuntime("crun", oci)[0]!, "end"),
      spawned(generator, "runc", ociRuntime("runc", oci)[0]!, "end"),
      spawned(
        generator,
        "no container: spawn",
        { file: join(root, PROGRAM[0]!), args: PROGRAM.slice(1), cwd: "/" },
        "end",
      ),
    ];
    const measured = (await interleave(subjects, { blocks, count, warmUp: Math.min(5, count), atMost_s: 45 })).map(
      (found, i) => ({
        name: subjects[i]!.name,
        summary: summarise(found),
        ours: i === 0,
      }),
    );
    return {
      tables: [summaryTable("A container around a program that does nothing", measured)],
      ratios: [],
      charts: [summaryChart("A container around a program that does nothing, p50", measured)],
      notes: [
        "The peers are started from a small Node process; `no container: spawn` is what that alone costs and is in each of their figures. Ours asks its launcher, which runs already.",
        "Ours makes a user namespace, a fresh writable layer and a seccomp filter each time; crun and runc have their default spec (no user namespace, a read-only root, no seccomp filter); bubblewrap alone limits and counts nothing.",
      ],
    };
  },
};

const ours = (boxes: TestBoxes): Subject => ({
  name: "mayfly box",
  pids: [process.pid, boxes.host.launcherPid!],
  run: async () => {
    const began = performance.now();
    const made = await boxes.host.start(boxes.spec(PROGRAM, { cwd: "/" }));
    await made.ended;
    await made.remove();
    made.stdout.destroy();
    made.stderr.destroy();
    return performance.now() - began;
  },
});
