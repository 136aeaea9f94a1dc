import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../infra/src/root.ts";
import { parseHierarchies } from "../../libs/container/src/cgroup/mountinfo.ts";
import type { Bench, Context } from "./bench.ts";
import { BENCHES } from "./benches.ts";
import { parseCommandLine } from "./command-line.ts";
import { readMachine } from "./measure/machine.ts";
import { buildBenchNative } from "./native/build.ts";
import { enter } from "./report/book.ts";
import { formatMachine, formatSection } from "./report/document.ts";
import type { Result } from "./report/result.ts";
import { ratioTable } from "./report/table.ts";
import { type Mayfly, startMayfly } from "./system/mayfly.ts";

/** Runs benches one after the other in this process, and takes everything back in the end, however that comes. */
const line = parseCommandLine(process.argv.slice(2));
if (line.kind !== "run") throw new Error("main.ts answers these");

const say = (text: string) => process.stderr.write(`bench  ${text}\n`);
const machine = readMachine();
hideSecondTree();
const native = await buildBenchNative(say);
const commit = execFileSync("git", ["describe", "--always", "--dirty"], { cwd: ROOT, encoding: "utf8" }).trim();

const whole = new AsyncDisposableStack();
let current = new AsyncDisposableStack();
let mayfly: Promise<Mayfly> | undefined;
const system = () =>
  (mayfly ??= (async () => {
    say("starting a Mayfly");
    const started = await startMayfly();
    whole.defer(async () => void (await started.system.stop()));
    return started;
  })());

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, async () => {
    say(`${signal}: taking everything back`);
    await current.disposeAsync().catch((error: Error) => say(error.message));
    await whole.disposeAsync().catch((error: Error) => say(error.message));
    process.exit(130);
  });
}

process.stdout.write(`${formatMachine(machine)}\n`);
const results: Result[] = [];
try {
  for (const bench of line.benches) {
    const result = await runBench(bench, line.text(bench));
    results.push(result);
    process.stdout.write(
      `${formatSection(result)}\n${result.ratios.length > 0 ? `${ratioTable(result.ratios)}\n` : ""}`,
    );
  }
} finally {
  await whole.disposeAsync();
}
if (line.write) {
  const docs = join(ROOT, "docs");
  enter(
    docs,
    results,
    BENCHES.map(({ name }) => name),
  );
  say(`wrote ${docs}/performance.md, .svg and .json`);
}
say(`all took ${(process.uptime() / 60).toFixed(1)} min`);

async function runBench(bench: Bench, command: string): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), "mayfly-bench-"));
  const began = performance.now();
  const facts = { at: new Date().toISOString().replace(/\.\d+Z$/, "Z"), load: loadavg()[0]!, commit, machine };
  current = new AsyncDisposableStack();
  current.defer(() => rmSync(dir, { recursive: true, force: true }));
  const context: Context = { say, native, dir, after: current, system };
  try {
    const findings = await bench.run(context, { ...bench.usual, ...amountOf() });
    say(`${bench.name} took ${((performance.now() - began) / 1000).toFixed(0)} s`);
    return { bench: bench.name, about: bench.about, command, ...facts, ...findings };
  } finally {
    await current.disposeAsync();
  }
}

function amountOf() {
  return line.kind === "run" ? line.amount : {};
}

/**
 * crun refuses a machine that has cgroup v1 and, beside it, a v2 tree ("cgroups in hybrid mode not supported"): in our mount namespace
 * the v2 tree is taken off. Nothing to do where there is one kind only.
 */
function hideSecondTree(): void {
  const hierarchies = parseHierarchies(readFileSync("/proc/self/mountinfo", "utf8"));
  const v1 = hierarchies.some(({ version, controllers }) => version === "v1" && controllers.includes("memory"));
  if (!v1) return;
  for (const { version, mountPoint } of hierarchies) if (version === "v2") execFileSync("umount", [mountPoint]);
}
