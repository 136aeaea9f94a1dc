import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { digestOf, unlessMade } from "../../../infra/src/prepare/stamp.ts";
import { BUILD } from "../../../infra/src/root.ts";

/** floor.c and within.c, static: their start is in the figures. */
export interface BenchNative {
  readonly floor: string;
  readonly within: string;
}

const FLAGS = "-std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -Wshadow -Wvla -Wformat=2 -static".split(" ");

/** Built when the sources changed. */
export async function buildBenchNative(say: (line: string) => void): Promise<BenchNative> {
  const out = join(BUILD, "bench");
  const sources = [join(import.meta.dirname, "floor.c"), join(import.meta.dirname, "within.c")] as const;
  await unlessMade(join(BUILD, "bench.stamp"), digestOf(sources), async () => {
    say("building the C of the benches");
    mkdirSync(out, { recursive: true });
    for (const source of sources)
      execFileSync("gcc", [...FLAGS, "-o", join(out, source.replace(/^.*\/|\.c$/g, "")), source]);
  });
  return { floor: join(out, "floor"), within: join(out, "within") };
}
