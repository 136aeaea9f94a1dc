import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundlePrograms, bundleServices } from "../prepare/bundles.ts";
import { buildNative } from "../prepare/native.ts";
import { ensureSystemUser } from "../prepare/system-user.ts";
import { ROOT } from "../root.ts";
import { runSuiteInSecondKernel } from "../second-kernel.ts";
import { makeTestImages } from "./base-images.ts";
import { add, command, report, type Tally, vitest } from "./checks.ts";
import { differences, leftovers } from "./leftovers.ts";

/** Test files that also run on cgroup v2, in the second kernel: the conformance suite and the main job. */
const IN_SECOND_KERNEL = ["libs/container/src/cgroup", "test/e2e/hello.test.ts"];

/** `npm test`: everything that must hold. The last line is "N passed, N failed"; a skipped test is a failed one. */
async function main(only: readonly string[]): Promise<Tally> {
  const say = (line: string) => process.stdout.write(`setup  ${line}\n`);
  ensureSystemUser(say);
  await buildNative(say);
  await bundlePrograms(say);
  await bundleServices(say);
  await makeTestImages(say);
  const before = leftovers();
  let tally: Tally = { passed: 0, failed: 0 };
  const take = (result: Tally) => {
    tally = add(tally, result);
  };
  if (only.length > 0) {
    take(await vitest("tests on this kernel", only, []));
  } else {
    // The second kernel has one processor of its own. What runs beside it measures no time.
    for (const result of await Promise.all([secondKernel(), whatNeedsNoQuiet()])) take(result);
    take(await vitest("boxes, services and faults on this kernel", [], ["waiting", "real"]));
  }
  take(await cleanedUp(before));
  return tally;
}

async function whatNeedsNoQuiet(): Promise<Tally> {
  let tally = await command("types", ["tsc", "-p", "tsconfig.json"]);
  tally = add(tally, await command("lint and format", ["biome", "ci", "."]));
  tally = add(
    tally,
    await command("boundaries", ["turbo", "boundaries", "--no-color"], { TURBO_TELEMETRY_DISABLED: "1" }),
  );
  tally = add(tally, await command("C format", ["clang-format", "--dry-run", "--Werror", ...cSources()]));
  return add(tally, await vitest("what makes no box", [], ["pure"]));
}

async function secondKernel(): Promise<Tally> {
  const began = performance.now();
  const result = await runSuiteInSecondKernel(IN_SECOND_KERNEL, { env: { MAYFLY_EXPECT_CGROUP: "v2" } });
  report(
    `second kernel, cgroup v2: ${result.passed} passed, ${result.failed} failed`,
    result.failed === 0,
    performance.now() - began,
  );
  for (const failure of result.failures) process.stdout.write(`  ✗ ${failure.name}\n${failure.message}\n`);
  return { passed: result.passed, failed: result.failed };
}

/** What the kernel takes away by itself once its last user is gone (network namespaces, killed processes) may take it a moment. */
const SETTLE_MS = 5000;

/** Processes, mounts, cgroups, namespaces and temporary files as before. */
async function cleanedUp(before: ReturnType<typeof leftovers>): Promise<Tally> {
  const began = performance.now();
  let left = differences(before, leftovers());
  while (left.length > 0 && performance.now() - began < SETTLE_MS) {
    await sleep(100);
    left = differences(before, leftovers());
  }
  report("nothing is left", left.length === 0, performance.now() - began);
  for (const line of left) process.stdout.write(`  ${line}\n`);
  return left.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function cSources(): string[] {
  return ["libs", "test"]
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.[ch]$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

main(process.argv.slice(2)).then(
  ({ passed, failed }) => {
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    process.exit(failed === 0 && passed > 0 ? 0 : 1);
  },
  (error: Error) => {
    process.stdout.write(`${error.stack}\n0 passed, 1 failed\n`);
    process.exit(1);
  },
);
