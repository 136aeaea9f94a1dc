import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { builtLayerTree } from "../testing/native.ts";
import { temporaryDirectory } from "../testing/temporary.ts";

/** What Node lets lie about before it collects it: it counts 64 MiB of buffers first. */
const SLACK_MIB = 128;
const IMAGE_MIB = 160;

it("holds no image in memory: import, unpack, save, load, export and commit stream", async () => {
  const dir = await temporaryDirectory("memory");
  const program = join(import.meta.dirname, "../testing/memory.ts");
  const args = ["--disable-warning=ExperimentalWarning", program, dir, builtLayerTree(), String(IMAGE_MIB)];
  const peaks: Record<string, number> = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  expect(Object.keys(peaks)).toHaveLength(6);
  expect(Math.max(...Object.values(peaks)) - peaks.open!).toBeLessThan(SLACK_MIB);
});
