import { setTimeout as sleep } from "node:timers/promises";
import { memoryOf } from "../measure/memory.ts";
import type { Mayfly } from "./mayfly.ts";

/** Builds run in boxes, two at the same time. */
const AT_ONCE = 2;
const SETTLE_MS = 2_000;

export interface Many {
  readonly names: readonly string[];
  /** What all our processes together grew by, for each function. */
  readonly bytesEach: number;
  /** What it took, for each function. */
  readonly secondsEach: number;
}

/** Of each system, what was deployed for one bench and serves the next one too. */
const deployed = new WeakMap<Mayfly, Many>();

/** Deploys functions `many-1` … `many-N`, each of a source of its own, unless as many stand already. */
export async function deployMany(mayfly: Mayfly, count: number, say: (line: string) => void): Promise<Many> {
  const known = deployed.get(mayfly);
  if (known && known.names.length >= count) return { ...known, names: known.names.slice(0, count) };
  say(`deploying ${count} functions`);
  const names = Array.from({ length: count }, (_, i) => `many-${i + 1}`);
  const before = await memoryOfAll(mayfly);
  const began = performance.now();
  const queue = [...names];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop())
        await mayfly.deploy(name, `export default () => new Response(${JSON.stringify(`${name}\n`)});\n`);
    }),
  );
  const secondsEach = (performance.now() - began) / 1000 / count;
  const many = { names, secondsEach, bytesEach: ((await memoryOfAll(mayfly)) - before) / count };
  deployed.set(mayfly, many);
  return many;
}

async function memoryOfAll(mayfly: Mayfly): Promise<number> {
  await sleep(SETTLE_MS);
  return Object.values(mayfly.processes()).reduce((sum, pid) => sum + memoryOf(pid).pss_bytes, 0);
}
