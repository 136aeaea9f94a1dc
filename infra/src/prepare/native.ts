import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BUILD, ROOT } from "../root.ts";
import { digestOf, unlessMade } from "./stamp.ts";

/** The packages with C sources, and what their build.sh makes. */
const SOURCES = {
  container: "the launcher",
  image: "layer-tree and courier-cage",
} as const;

/** Folder with `launcher`, `native.node`, `probe`, `layer-tree` and `courier-cage`, built when the C sources changed. */
export async function buildNative(say: (line: string) => void): Promise<string> {
  const out = join(BUILD, "native");
  for (const [name, what] of Object.entries(SOURCES)) {
    const sources = join(ROOT, "libs", name, "native");
    await unlessMade(join(BUILD, `native-${name}.stamp`), digestOf([sources]), async () => {
      say(`building ${what}`);
      mkdirSync(out, { recursive: true });
      const run = spawnSync("sh", [join(sources, "build.sh"), out], { encoding: "utf8", cwd: ROOT });
      if (run.status !== 0) throw new Error(`building ${what} failed:\n${run.stdout}${run.stderr}`);
    });
  }
  return out;
}
