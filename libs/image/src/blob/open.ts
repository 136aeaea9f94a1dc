import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Scratch } from "../scratch.ts";
import type { BlobStore } from "./blob-store.ts";
import { BlobDirectory } from "./directory.ts";

/** Blobs alone, in a folder of their own (0700): for who keeps images without running them. Sweeps what dead processes left. */
export async function openBlobStore(dir: string): Promise<BlobStore> {
  const root = resolve(dir);
  await mkdir(root, { recursive: true, mode: 0o700 });
  return BlobDirectory.open(root, await Scratch.open(join(root, "tmp"), null));
}
