import type { Context } from "../bench.ts";
import type { Target } from "../load/job.ts";
import { ociRuntime } from "../peers/oci.ts";
import { functionsFramework, workerd } from "../peers/reused.ts";
import { NODE, ONCE, peersRoot } from "../peers/root.ts";

export interface Contender {
  readonly name: string;
  readonly target: Target;
  /** Processes that serve it; none when the generator starts them. */
  readonly pids: () => readonly number[];
  readonly ours: boolean;
  /** What it does not keep apart. */
  readonly honesty?: string;
}

/** Ours first, then crun + node, then those that reuse a process, functions-framework the first of them. */
export async function contenders({ dir, after, system }: Context, concurrency: number): Promise<Contender[]> {
  const mayfly = await system();
  const commands = ociRuntime("crun", {
    dir,
    root: peersRoot(mayfly, dir, after),
    args: [NODE, ONCE],
    limits: mayfly.hello.settings,
    cgroup: `/mayfly/bench-oci-${process.pid}`,
    slots: concurrency,
    after,
  });
  const reused = [await functionsFramework(after), await workerd(after)];
  return [
    {
      name: "mayfly, a fresh box each",
      target: { kind: "http", url: `${mayfly.system.url}/fn/hello` },
      pids: () => Object.values(mayfly.processes()),
      ours: true,
    },
    {
      name: "crun + node, fresh each",
      target: { kind: "commands", commands, counts: "first byte" },
      pids: () => [],
      ours: false,
    },
    ...reused.map(({ name, url, pids, honesty }) => ({
      name: `${name}, reused`,
      target: { kind: "http", url } as const,
      pids: () => pids,
      ours: false,
      honesty,
    })),
  ];
}
