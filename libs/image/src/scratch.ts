import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Where things are made before a rename makes them visible. A name says which process makes it, so that opening a store sweeps what
 * the dead left and touches nothing of a live neighbour (the bootstrap and a worker may have one store open together).
 */
export class Scratch {
  readonly #dir: string;
  readonly #owner: string;

  private constructor(dir: string, owner: string) {
    this.#dir = dir;
    this.#owner = owner;
  }

  static async open(dir: string): Promise<Scratch> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(dir)) {
      if (!isAlive(name.split(".", 1)[0]!)) await rm(join(dir, name), { recursive: true, force: true });
    }
    return new Scratch(dir, ownerOf(process.pid)!);
  }

  /** A path on the same filesystem as the store, where nothing is yet. Whoever asks removes it when the work fails. */
  path(purpose: string): string {
    return join(this.#dir, `${this.#owner}.${purpose}.${randomUUID()}`);
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
