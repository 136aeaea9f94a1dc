import { openCgroupTree } from "@mayfly/container";
import type { Generator } from "../load/generator.ts";
import type { Counts } from "../load/job.ts";
import type { Subject } from "../measure/blocks.ts";
import type { Command } from "./command.ts";
import type { Limits } from "./limits.ts";
import { runOnce } from "./spawned.ts";

/**
 * Namespaces and a bind of the root. No limits, nothing counted, no writable layer but /tmp.
 * @param within native/within.c, which reaps what bubblewrap leaves
 */
export const bubblewrap = (within: string, root: string, program: readonly string[]): Command => ({
  file: within,
  args: [
    ...["--", "bwrap"],
    ...["--unshare-all", "--die-with-parent", "--ro-bind", root, "/"],
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...program,
  ],
  cwd: "/",
});

/**
 * bubblewrap in cgroups as our boxes are: a group in every hierarchy that we use, the same limits written, joined before the program
 * starts, the same counters read at the end, and removed.
 */
export async function bubblewrapWithCgroups(options: {
  readonly command: Command;
  readonly limits: Limits;
  readonly counts: Counts;
  readonly generator: Generator;
  readonly after: AsyncDisposableStack;
}): Promise<Subject> {
  const tree = await openCgroupTree({ instance: `bench-bwrap-${process.pid}` });
  options.after.defer(() => tree.close());
  const { file, args, cwd } = options.command;
  let count = 0;
  return {
    name: "bubblewrap + our cgroup writes",
    pids: [process.pid, options.generator.pid],
    run: async () => {
      count += 1;
      const began = performance.now();
      const group = tree.create(`b${count}`, options.limits);
      const made_ms = performance.now() - began;
      const joined = { file, args: [...group.procsFiles, ...args], cwd };
      let ran_ms: number;
      let removing: number;
      try {
        ran_ms = await runOnce(options.generator, joined, options.counts);
      } finally {
        removing = performance.now();
        group.usage();
        await group.remove();
      }
      return made_ms + ran_ms + (options.counts === "end" ? performance.now() - removing : 0);
    },
  };
}
