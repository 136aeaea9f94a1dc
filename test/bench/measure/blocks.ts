import { cpuMs } from "./cpu.ts";
import { quantile, type Spread, spreadOf } from "./quantile.ts";

/** What is measured beside others. */
export interface Subject {
  readonly name: string;
  /** Whose CPU counts; the children that they reap are in it. */
  readonly pids: readonly number[];
  /** One operation and all that cleans up after it. Resolves with what counts as its latency, in ms. */
  run(): Promise<number>;
}

export interface Block {
  readonly each_ms: readonly number[];
  /** CPU for each operation, cleaning up included. */
  readonly cpu_ms: number;
}

export interface Turns {
  readonly blocks: number;
  /** Operations in a block. */
  readonly count: number;
  readonly warmUp: number;
  /** No further round is begun after this: a slow machine gets fewer blocks, and the figures say of how many operations they are. */
  readonly atMost_s: number;
}

/** A, B, C, A, B, C …: what else the machine does hits all alike. One list of blocks for each subject. */
export async function interleave(
  subjects: readonly Subject[],
  { blocks, count, warmUp, atMost_s }: Turns,
): Promise<Block[][]> {
  const measured = subjects.map((): Block[] => []);
  for (const subject of subjects) if (warmUp > 0) await block(subject, warmUp);
  const until = performance.now() + 1000 * atMost_s;
  for (let i = 0; i === 0 || (i < blocks && performance.now() < until); i += 1) {
    for (const [k, subject] of subjects.entries()) measured[k]!.push(await block(subject, count));
  }
  return measured;
}

async function block(subject: Subject, count: number): Promise<Block> {
  const each_ms: number[] = [];
  const cpu = cpuMs(subject.pids);
  for (let i = 0; i < count; i += 1) each_ms.push(await subject.run());
  return { each_ms, cpu_ms: (cpuMs(subject.pids) - cpu) / count };
}

export interface Summary {
  /** Of the blocks' medians. */
  readonly p50: Spread;
  /** Of all operations of all blocks. */
  readonly p95_ms: number;
  readonly p99_ms: number;
  /** Mean over all operations: the counter's tick is coarse against one block. */
  readonly cpu_ms: number;
  readonly operations: number;
}

export function summarise(blocks: readonly Block[]): Summary {
  const all = blocks.flatMap((block) => block.each_ms);
  const cpu = blocks.reduce((sum, block) => sum + block.cpu_ms * block.each_ms.length, 0);
  return {
    p50: spreadOf(blocks.map((block) => quantile(block.each_ms, 0.5))),
    p95_ms: quantile(all, 0.95),
    p99_ms: quantile(all, 0.99),
    cpu_ms: cpu / all.length,
    operations: all.length,
  };
}
