import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** For tests: an empty folder that goes when the test ends, however it ends. */
export async function temporaryDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "mayfly-image-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
