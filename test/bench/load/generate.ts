import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { cpuMs } from "../measure/cpu.ts";
import type { LoadJob, LoadRun, Plan } from "./job.ts";
import { openTarget } from "./target.ts";

/** A moment for the pacing thread to start before the first request is due. */
const LEAD_MS = 150;

/** Asks the target as planned. */
export async function generate({ target, plan }: LoadJob): Promise<LoadRun> {
  const { request, close } = openTarget(target);
  const latencies_ms: number[] = [];
  const failed: string[] = [];
  const ask = async (since: number): Promise<void> => {
    try {
      latencies_ms.push((await request()) - since);
    } catch (error) {
      failed.push((error as Error).message);
    }
  };
  const cpu = ownAndChildren();
  const began = performance.now();
  try {
    const started = plan.kind === "open" ? await open(plan.due_ms, ask) : await closed(plan, ask);
    return {
      latencies_ms,
      failures: failed.length,
      reason: failed[0] ?? null,
      elapsed_ms: performance.now() - (started ?? began),
      cpu_ms: target.kind === "commands" ? ownAndChildren() - cpu : 0,
    };
  } finally {
    close();
  }
}

/** Starting programs is part of what they cost, and is done in here. */
const ownAndChildren = (): number => cpuMs([process.pid]);

async function closed(plan: Exclude<Plan, { kind: "open" }>, ask: (since: number) => Promise<void>): Promise<void> {
  const until = performance.now() + 1000 * (plan.kind === "closed" ? plan.seconds : plan.atMost_s);
  let left = plan.kind === "calls" ? plan.calls : Number.POSITIVE_INFINITY;
  const one = async () => {
    while (left > 0 && performance.now() < until) {
      left -= 1;
      await ask(performance.now());
    }
  };
  await Promise.all(Array.from({ length: plan.concurrency }, one));
}

async function open(due_ms: readonly number[], ask: (since: number) => Promise<void>): Promise<number> {
  const began = performance.now() + LEAD_MS;
  const pacer = new Worker(join(import.meta.dirname, "pacer.ts"), {
    workerData: { due_ms, began_ms: performance.timeOrigin + began },
  });
  const asked: Promise<void>[] = [];
  await new Promise<void>((resolve, reject) => {
    pacer.on("message", (i: number) => asked.push(ask(began + due_ms[i]!)));
    pacer.once("error", reject);
    pacer.once("exit", () => resolve());
  });
  await Promise.all(asked);
  return began;
}
