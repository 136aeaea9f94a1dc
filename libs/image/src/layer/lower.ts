import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errno } from "../error.ts";

interface DirectoryAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime_s: number;
}

const NEW_DIRECTORY: DirectoryAttributes = { mode: 0o755, uid: 0, gid: 0, mtime_s: 0 };

/** The folders of lower layers as overlayfs shows them merged, walked one component at a time so that no link is followed. */
export class LowerDirectories {
  /** Path → the lowers, topmost first, whose folder takes part in the merge there. */
  readonly #merged: Map<string, readonly string[]>;

  constructor(lowers: readonly string[]) {
    this.#merged = new Map([[".", lowers]]);
  }

  /** What a folder at `path` looks like, 0755 of root when there is none yet. Ask for parents first. */
  async attributes(path: string): Promise<DirectoryAttributes | "no directory"> {
    let shown: DirectoryAttributes | null = null;
    const taking: string[] = [];
    for (const lower of this.#merged.get(dirname(path)) ?? []) {
      const found = await lstatOrNull(join(lower, path));
      if (!found) continue;
      if (!found.isDirectory()) {
        if (!shown) return "no directory";
        break; // Hides what the layers below it have there (overlayfs.rst, "Directories").
      }
      taking.push(lower);
      shown ??= {
        mode: found.mode & 0o7777,
        uid: found.uid,
        gid: found.gid,
        mtime_s: Math.floor(found.mtimeMs / 1000),
      };
    }
    this.#merged.set(path, taking);
    return shown ?? NEW_DIRECTORY;
  }
}

async function lstatOrNull(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (errno(error) === "ENOENT") return null;
    throw error;
  }
}
