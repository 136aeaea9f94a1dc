import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../root.ts";

export interface Tally {
  passed: number;
  failed: number;
}

/** Runs a command that is one check: its status is the verdict, its output is shown. */
export async function command(
  name: string,
  argv: readonly [string, ...string[]],
  env: Record<string, string> = {},
): Promise<Tally> {
  const began = performance.now();
  const [file, ...args] = argv;
  const child = spawn(file, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env.PATH}`, ...env },
  });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number>((resolve) => {
    child.once("error", (error) => {
      output.push(Buffer.from(String(error)));
      resolve(127);
    });
    child.once("close", (status) => resolve(status ?? 1));
  });
  report(name, code === 0, performance.now() - began);
  if (code !== 0) process.stdout.write(`${Buffer.concat(output).toString()}\n`);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/**
 * Runs vitest over `files` (all when empty) of projects of vitest.config.ts (of all when empty). A skipped test, a file that cannot load
 * and a run of no tests are failures.
 */
export async function vitest(
  name: string,
  files: readonly string[],
  projects: readonly ("pure" | "waiting" | "real")[],
): Promise<Tally> {
  const dir = mkdtempSync(join(tmpdir(), "mayfly-test-"));
  const report = join(dir, "report.json");
  const began = performance.now();
  try {
    const chosen = projects.flatMap((project) => ["--project", project]);
    const args = ["run", ...files, ...chosen, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const child = spawn(join(ROOT, "node_modules", ".bin", "vitest"), args, {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env.PATH}`,
        NODE_OPTIONS: "--disable-warning=ExperimentalWarning",
      },
    });
    const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? 1)));
    const tally = count(readFileSync(report, "utf8"));
    if (code !== 0 && tally.failed === 0) tally.failed = 1;
    return tally;
  } catch (error) {
    process.stdout.write(`${name}: ${String(error)}\n`);
    return { passed: 0, failed: 1 };
  } finally {
    process.stdout.write(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
    rmSync(dir, { recursive: true, force: true });
  }
}

function count(json: string): Tally {
  const result = JSON.parse(json) as {
    numTotalTests: number;
    numPassedTests: number;
    numFailedTestSuites: number;
    testResults: { status: string; assertionResults: unknown[] }[];
  };
  const brokenFiles = result.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
  const failed = result.numTotalTests - result.numPassedTests + brokenFiles;
  return { passed: result.numPassedTests, failed: result.numTotalTests === 0 ? Math.max(1, failed) : failed };
}

export function report(name: string, ok: boolean, tookMs: number): void {
  process.stdout.write(`${ok ? "✓" : "✗"} ${name} (${(tookMs / 1000).toFixed(1)} s)\n`);
}

export const add = (a: Tally, b: Tally): Tally => ({ passed: a.passed + b.passed, failed: a.failed + b.failed });
