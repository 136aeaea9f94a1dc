import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BUILD, ROOT } from "../root.ts";
import { digestOf, unlessMade } from "./stamp.ts";

/** Folder with `launcher`, `native.node` and `probe`, built when the C sources changed. */
export async function buildNative(say: (line: string) => void): Promise<string> {
  const sources = join(ROOT, "libs", "container", "native");
  const out = join(BUILD, "native");
  await unlessMade(join(BUILD, "native.stamp"), digestOf([sources]), async () => {
    say("building the launcher");
    mkdirSync(out, { recursive: true });
    const run = spawnSync("sh", [join(sources, "build.sh"), out], { encoding: "utf8", cwd: ROOT });
    if (run.status !== 0) throw new Error(`building the launcher failed:\n${run.stdout}${run.stderr}`);
  });
  return out;
}
