import { constants } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RootFs } from "@mayfly/contract";

/**
 * A small file of a root file system, as text, read from the layers that it is stacked of, without mounting them. No link is followed, on
 * no level: an image could point out of itself. @returns null when there is no such regular file, or it is larger
 */
export async function readFileOf({ lower }: RootFs, path: string, most_bytes: number): Promise<string | null> {
  for (const layer of lower) {
    const found = await lookInto(layer, path, most_bytes);
    if (found !== "next") return found;
  }
  return null;
}

/** `next`: this layer says nothing of it. */
async function lookInto(layer: string, path: string, most_bytes: number): Promise<string | null | "next"> {
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const above = await lstat(join(layer, folder)).catch(() => null);
    // A link, a whiteout, a file: what lies below in lower layers is hidden by it.
    if (above && !above.isDirectory()) return null;
    if (!above) return "next";
  }
  const file = await lstat(join(layer, path)).catch(() => null);
  if (!file) return "next";
  if (!file.isFile() || file.size > most_bytes) return null;
  const handle = await open(join(layer, path), constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
  if (!handle) return null;
  try {
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}
