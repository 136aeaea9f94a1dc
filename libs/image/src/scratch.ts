import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { lstat, mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { errno } from "./error.ts";
import type { LayerTree } from "./tree/layer-tree.ts";

/**
 * Where things are made before a rename makes them visible. A name says which process makes it, so that opening a store sweeps what
 * the dead left and touches nothing of a live neighbour (the bootstrap and a worker may have one store open together).
 */
export class Scratch {
  readonly #dir: string;
  readonly #owner: string;
  readonly #tree: LayerTree | null;

  private constructor(dir: string, owner: string, tree: LayerTree | null) {
    this.#dir = dir;
    this.#owner = owner;
    this.#tree = tree;
  }

  /** @param tree empties folders; null where only files are made */
  static async open(dir: string, tree: LayerTree | null): Promise<Scratch> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const scratch = new Scratch(dir, ownerOf(process.pid)!, tree);
    for (const name of await readdir(dir)) {
      if (!isAlive(name.split(".", 1)[0]!)) await scratch.discard(join(dir, name));
    }
    return scratch;
  }

  /** A path on the same filesystem as the store, where nothing is yet. Whoever asks discards it when the work fails. */
  path(purpose: string): string {
    return join(this.#dir, `${this.#owner}.${purpose}.${randomUUID()}`);
  }

  /** Removes a file, or a folder with whatever names of a layer are in it; nothing there is fine. */
  async discard(path: string): Promise<void> {
    try {
      if (!(await lstat(path)).isDirectory()) return await rm(path, { force: true });
      await this.#tree?.empty(path);
      await rmdir(path);
    } catch (error) {
      if (errno(error) !== "ENOENT") throw error;
    }
  }
}

/** Boot, pid and start time together never come twice; a pid alone does (proc_pid_stat(5), field 22). */
function ownerOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const afterName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
    return `${boot}-${pid}-${afterName[19]}`;
  } catch {
    return null;
  }
}

function isAlive(owner: string): boolean {
  const pid = Number(owner.split("-")[1]);
  return Number.isInteger(pid) && pid > 0 && ownerOf(pid) === owner;
}
