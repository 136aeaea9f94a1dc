import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { RootFs } from "@mayfly/contract";

/** Where something lies in the layers that a root file system is stacked of. */
export interface Found {
  readonly path: string;
  readonly stats: Stats;
}

/**
 * What a root file system has at a path (relative, without `.` and `..`), found in its layers without mounting them. No link is followed:
 * one on the way, as a file there, hides what lies behind it. @returns null when there is nothing
 */
export async function lookUp({ lower }: RootFs, path: string): Promise<Found | null> {
  const names = path.split("/");
  for (const layer of lower) {
    let at = layer;
    for (const [index, name] of names.entries()) {
      at = join(at, name);
      const stats = await lstat(at).catch(ifAbsent);
      if (stats === null) break;
      // A whiteout.
      if (stats.isCharacterDevice() && stats.rdev === 0) return null;
      if (index === names.length - 1) return { path: at, stats };
      if (!stats.isDirectory()) return null;
    }
  }
  return null;
}

function ifAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
  throw error;
}
