import { execFile } from "node:child_process";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { BUILD } from "../../infra/src/root.ts";
import { makeTestImages } from "../../infra/src/test/base-images.ts";

/** The second kernel sees this clone through its hostfs, which keeps no owners: no store can lie there. */
const HOSTFS = 0x00c0ffee;
let made: Promise<string> | undefined;

/**
 * Gives a home the base images, which the tests' systems make once for all: each takes eight seconds of CPU to make them, and two to find
 * that they are there. test/e2e/start.test.ts starts from nothing.
 */
export async function copyBaseImages(home: string): Promise<void> {
  if (statfsSync(BUILD).type === HOSTFS) return;
  made ??= makeTestImages(() => {});
  await promisify(execFile)("cp", ["-a", await made, join(home, "images")]);
}
