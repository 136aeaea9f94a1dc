import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Scratch } from "./scratch.ts";

/** A rename is durable only when the folder that holds the name is (fsync(2), notes). */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces `path` as a whole: a reader, or a power cut, finds the old bytes or the new ones and nothing between. */
export async function replaceFile(path: string, bytes: string, scratch: Scratch): Promise<void> {
  const temp = scratch.path("file");
  try {
    await writeNewFile(temp, bytes);
    await rename(temp, path);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes a file that is on disk when this returns, though its name in the folder may not be. */
export async function writeNewFile(path: string, bytes: string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
