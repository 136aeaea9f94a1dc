import type { Generator } from "../load/generator.ts";
import type { Counts } from "../load/job.ts";
import type { Subject } from "../measure/blocks.ts";
import type { Command } from "./command.ts";

/**
 * A peer that is a program to be started. The generator starts it: it is a small process, and what a fork costs grows with the one that
 * forks.
 */
export const spawned = (generator: Generator, name: string, command: Command, counts: Counts): Subject => ({
  name,
  pids: [process.pid, generator.pid],
  run: () => runOnce(generator, command, counts),
});

/** @throws Error when it fails */
export async function runOnce(generator: Generator, command: Command, counts: Counts): Promise<number> {
  const run = await generator.run({
    target: { kind: "commands", commands: [command], counts },
    plan: { kind: "calls", concurrency: 1, calls: 1, atMost_s: 1 },
  });
  if (run.reason !== null) throw new Error(run.reason);
  return run.latencies_ms[0]!;
}
