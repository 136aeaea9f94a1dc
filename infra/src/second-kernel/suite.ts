import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../root.ts";
import { runInSecondKernel } from "./kernel.ts";

export interface SuiteResult {
  readonly passed: number;
  /** Everything that did not pass: failed, skipped, could not be loaded. */
  readonly failed: number;
  readonly failures: readonly { readonly name: string; readonly message: string }[];
}

/** A test that says nothing about its time gets this much there; seen: 12 s for vitest itself, 1.5 s for each Node process. */
const TEST_TIMEOUT_MS = 120_000;
const SUITE_TIMEOUT_MS = 900_000;

/**
 * Runs test files (paths or parts of paths, as vitest takes them) inside the second kernel, one after the other.
 * @returns failures as data; a kernel that does not boot or a suite without an end is a failure as well
 */
export async function runSuiteInSecondKernel(
  files: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<SuiteResult> {
  // On the host's disk, through hostfs.
  const dir = mkdtempSync(join(tmpdir(), "mayfly-uml-suite-"));
  const report = join(dir, "report.json");
  try {
    const run = await runInSecondKernel({
      command: [
        "vitest",
        "run",
        ...files,
        "--no-file-parallelism",
        `--testTimeout=${TEST_TIMEOUT_MS}`,
        `--hookTimeout=${TEST_TIMEOUT_MS}`,
        "--reporter=json",
        `--outputFile.json=${report}`,
        // Why a set-up failed is in no report.
        "--reporter=default",
      ],
      cwd: ROOT,
      env: {
        PATH: `${join(ROOT, "node_modules", ".bin")}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        NODE_OPTIONS: "--disable-warning=ExperimentalWarning",
        ...options.env,
      },
      timeoutMs: SUITE_TIMEOUT_MS,
      ...(options.signal && { signal: options.signal }),
    });
    return readReport(readReportFile(report), run.status, run.output);
  } catch (error) {
    options.signal?.throwIfAborted();
    return { passed: 0, failed: 1, failures: [{ name: "the second kernel", message: String(error) }] };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function readReportFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // vitest itself did not come so far; its output says why
  }
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

/** What vitest's JSON reporter wrote. Exported for its test. */
export function readReport(json: string | null, status: number, output: string): SuiteResult {
  const failures: { name: string; message: string }[] = [];
  let passed = 0;
  for (const file of json === null ? [] : (JSON.parse(json) as VitestReport).testResults) {
    for (const test of file.assertionResults) {
      if (test.status === "passed") passed += 1;
      else failures.push({ name: test.fullName.trim(), message: test.failureMessages?.join("\n") || test.status });
    }
    const failedTest = file.assertionResults.some((test) => test.status !== "passed");
    if (file.status === "failed" && !failedTest) failures.push({ name: file.name, message: file.message ?? "" });
  }
  // Why a set-up failed, which skips its tests, stands in no report: only in what vitest said.
  const mute = status === 0 ? undefined : failures.find(({ message }) => message === "skipped");
  if (mute) mute.message = `skipped; vitest said:\n${output.slice(-4000)}`;
  if (failures.length === 0 && (status !== 0 || passed === 0)) {
    const how = passed === 0 ? "no test ran" : "vitest failed after its tests";
    failures.push({
      name: "vitest in the second kernel",
      message: `${how}, status ${status}:\n${output.slice(-4000)}`,
    });
  }
  return { passed, failed: failures.length, failures };
}
