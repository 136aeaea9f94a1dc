import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../infra/src/root.ts";
import type { Bench } from "./bench.ts";
import { BENCHES } from "./benches.ts";
import { parseCommandLine } from "./command-line.ts";
import { readMachine } from "./measure/machine.ts";
import { buildBenchNative } from "./native/build.ts";
import { hideSecondTree } from "./peers/hybrid.ts";
import { enter } from "./report/book.ts";
import { formatMachine, formatSection } from "./report/document.ts";
import type { Result } from "./report/result.ts";
import { ratioTable } from "./report/table.ts";
import { Session } from "./session.ts";
import { type Mayfly, startMayfly } from "./system/mayfly.ts";

/** Runs benches one after the other, in the mount namespace that main.ts made for them. */
const line = parseCommandLine(process.argv.slice(2));
if (line.kind !== "run") throw new Error("main.ts answers these");
const { benches, amount, write, text } = line;

const say = (line: string) => process.stderr.write(`bench  ${line}\n`);
const machine = readMachine();
const commit = execFileSync("git", ["describe", "--always", "--dirty"], { cwd: ROOT, encoding: "utf8" }).trim();
hideSecondTree();
const native = await buildBenchNative(say);
const session = new Session(say);

let mayfly: Promise<Mayfly> | undefined;
session.whole.defer(async () => {
  // One that is just starting is waited for; one that could not start has nothing to stop.
  const started = await mayfly?.catch(() => null);
  await started?.system.stop();
});
const system = () => {
  if (!mayfly) say("starting a Mayfly");
  mayfly ??= startMayfly();
  return session.unlessEnding(mayfly);
};

process.stdout.write(`${formatMachine(machine)}\n`);
const results: Result[] = [];
try {
  for (const bench of benches) {
    const result = await runBench(bench);
    results.push(result);
    const ratios = result.ratios.length > 0 ? `${ratioTable(result.ratios)}\n` : "";
    process.stdout.write(`${formatSection(result)}\n${ratios}`);
  }
} finally {
  await session.whole.disposeAsync();
}
if (write) {
  const docs = join(ROOT, "docs");
  enter(
    docs,
    results,
    BENCHES.map(({ name }) => name),
  );
  say(`wrote ${docs}/performance.md, .svg and .json`);
}
say(`all took ${(process.uptime() / 60).toFixed(1)} min`);

function runBench(bench: Bench): Promise<Result> {
  const facts = { at: new Date().toISOString().replace(/\.\d+Z$/, "Z"), load: loadavg()[0]!, commit, machine };
  return session.bench(async (after) => {
    const dir = mkdtempSync(join(tmpdir(), "mayfly-bench-"));
    after.defer(() => rmSync(dir, { recursive: true, force: true }));
    const began = performance.now();
    const findings = await bench.run({ say, native, dir, after, system }, { ...bench.usual, ...amount });
    say(`${bench.name} took ${((performance.now() - began) / 1000).toFixed(0)} s`);
    return { bench: bench.name, about: bench.about, command: text(bench), ...facts, ...findings };
  });
}
