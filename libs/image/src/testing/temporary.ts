import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/**
 * In memory where a test is not about the disk: every blob is synced, and a busy disk takes its time.
 * (There are no user.* attributes in memory before Linux 6.6.)
 */
export type Where = "disk" | "memory";

export const makeDirectory = (where: Where): string =>
  mkdtempSync(join(where === "disk" ? tmpdir() : "/dev/shm", "mayfly-image-"));

/** Node cannot remove names that are no UTF-8. */
export function removeDirectory(dir: string): void {
  execFileSync("rm", ["-rf", "--one-file-system", dir]);
}

/** For tests: an empty folder that goes when the test ends, however it ends. */
export async function temporaryDirectory(where: Where = "disk"): Promise<string> {
  const dir = makeDirectory(where);
  onTestFinished(() => removeDirectory(dir));
  return dir;
}
