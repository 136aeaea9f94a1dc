import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** In memory where a test is not about the disk: every blob is synced, and a busy disk takes its time. */
export type Where = "disk" | "memory";

export const makeDirectory = (where: Where): string =>
  mkdtempSync(join(where === "disk" ? tmpdir() : "/dev/shm", "mayfly-image-"));

/** Where files can have user.* attributes: in memory since Linux 6.6. */
export const WITH_ATTRIBUTES: Where = haveAttributes("memory") ? "memory" : "disk";

function haveAttributes(where: Where): boolean {
  const dir = makeDirectory(where);
  try {
    return spawnSync("setfattr", ["-n", "user.x", "-v", "1", dir], { stdio: "ignore" }).status === 0;
  } finally {
    removeDirectory(dir);
  }
}

/** Node cannot remove names that are no UTF-8. */
export function removeDirectory(dir: string): void {
  const { status, stderr } = spawnSync("rm", ["-rf", "--one-file-system", dir], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** For tests: an empty folder that goes when the test ends, however it ends. */
export async function temporaryDirectory(where: Where = "disk"): Promise<string> {
  const dir = makeDirectory(where);
  onTestFinished(() => removeDirectory(dir));
  return dir;
}
