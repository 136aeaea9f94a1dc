/**
 * What a box costs: make it, run a static program that does nothing, settle its usage, remove it; beside runc and bubblewrap in the
 * same run. Blocks are interleaved, so that what else the machine does hits all alike; medians of blocks. Read ratios, not absolutes.
 *
 *   node test/bench/box.ts [blocks] [boxes per block]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TestBoxes } from "../../libs/container/src/testing/boxes.ts";
import { bubblewrap, type Peer, removeRuncGroups, runc, spawned } from "./peers.ts";

interface Sample {
  readonly wall_ms: number;
  readonly cpu_ms: number;
}

/** CPU of processes and of their reaped children, in ms; the kernel counts in ticks of 10 ms. */
function cpuOf(pids: readonly (number | string)[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /, "")
      .split(" ");
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks * 10;
}

async function block(
  peer: Peer,
  count: number,
  pids: readonly (number | string)[],
): Promise<Sample & { each: number[] }> {
  const each: number[] = [];
  const cpu = cpuOf(pids);
  const began = performance.now();
  for (let i = 0; i < count; i += 1) {
    const start = performance.now();
    await peer.run();
    each.push(performance.now() - start);
  }
  return { each, wall_ms: (performance.now() - began) / count, cpu_ms: (cpuOf(pids) - cpu) / count };
}

const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
};

const [blocks, count] = [Number(process.argv[2] ?? 7), Number(process.argv[3] ?? 30)];
const boxes = await TestBoxes.open();
try {
  const program = ["/bin/probe", "exit", "0"];
  const root = boxes.layers[1]!;
  const ours: Peer = {
    name: "mayfly box",
    run: async () => {
      const box = await boxes.host.start(boxes.spec(program, { cwd: "/" }));
      await box.ended;
      await box.remove();
      box.stdout.destroy();
      box.stderr.destroy();
    },
  };
  const peers = [
    ours,
    bubblewrap(root, program),
    runc(boxes.dir, root, program, `/mayfly/${boxes.instance}`),
    spawned([join(root, "bin/probe"), "exit", "0"]),
  ];
  const pids = ["self", boxes.host.launcherPid!];
  const samples = peers.map(() => [] as (Sample & { each: number[] })[]);
  for (const peer of peers) await block(peer, 5, pids);
  for (let i = 0; i < blocks; i += 1) {
    for (const [k, peer] of peers.entries()) samples[k]!.push(await block(peer, count, pids));
  }
  const base = quantile(
    samples[0]!.map((s) => s.wall_ms),
    0.5,
  );
  process.stdout.write(
    "| | wall ms, median of blocks | p50 | p95 | CPU ms | wall, ours = 1 |\n|---|---|---|---|---|---|\n",
  );
  for (const [k, peer] of peers.entries()) {
    const wall = quantile(
      samples[k]!.map((s) => s.wall_ms),
      0.5,
    );
    const cpu = quantile(
      samples[k]!.map((s) => s.cpu_ms),
      0.5,
    );
    const each = samples[k]!.flatMap((s) => s.each);
    const cells = [wall, quantile(each, 0.5), quantile(each, 0.95), cpu].map((value) => value.toFixed(2));
    process.stdout.write(`| ${peer.name} | ${cells.join(" | ")} | ${(wall / base).toFixed(2)} |\n`);
  }
} finally {
  await boxes.close();
  removeRuncGroups(`/mayfly/${boxes.instance}`);
}
