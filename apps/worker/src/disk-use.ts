import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Box } from "@mayfly/container";
import { formatBytes } from "@mayfly/contract";

const LOOKED_AT_MS = 3_000;

/** Kills a box whose folder holds more than it may, until the answer is called. */
export function watchDisk(box: Pick<Box, "kill">, folder: string, most_bytes: number): () => void {
  const looking = setInterval(async () => {
    if ((await sizeOf(folder)) > most_bytes)
      box.kill({ kind: "killed", reason: `it wrote more than ${formatBytes(most_bytes)}` });
  }, LOOKED_AT_MS);
  return () => clearInterval(looking);
}

/** What a folder holds on disk. Files may go while it is read: what du says on stdout counts, whatever it complains of. */
export async function sizeOf(folder: string): Promise<number> {
  const read = await promisify(execFile)("du", ["-s", "--block-size=1", folder]).catch(
    (error: { stdout?: string }) => error,
  );
  return Number.parseInt(read.stdout ?? "0", 10) || 0;
}
