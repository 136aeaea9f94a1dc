import { CGROUP_COUNTERS, type CgroupCounter, type CgroupUsage } from "@mayfly/contract";
import { readIfThere, readText } from "./file.ts";
import type { CgroupLimits } from "./tree.ts";

/** What v1 and v2 do differently. A `group` is a path below every root: `mayfly/<instance>/<id>`. */
export interface Backend {
  readonly version: "v1" | "v2";
  /** Mount points, each once, in the order in which a process joins. */
  readonly roots: readonly string[];
  /** Makes a parent fit to have limited children. Called for `mayfly`, then for `mayfly/<instance>`. */
  prepareParent(group: string): void;
  setLimits(group: string, limits: CgroupLimits): void;
  usage(group: string): CgroupUsage;
  oomKills(group: string): number;
  setFrozen(group: string, frozen: boolean): void;
  isFrozen(group: string): boolean;
  /** SIGKILL to everything; resolves when empty, rejects with CgroupError when it does not get empty. */
  kill(group: string): Promise<void>;
  /** Finds out on a group without limits which counters there are; later reads leave the others out. */
  probe(group: string): CgroupCounter[];
}

/** Reads counter files, and remembers after a probe which ones the kernel does not have: a failed open costs more than a read. */
export class CounterFiles {
  readonly #absent = new Set<string>();

  read(root: string | null, group: string, file: string): string | null {
    return root === null || this.#absent.has(file) ? null : readIfThere(`${root}/${group}/${file}`);
  }

  probe(root: string | null, group: string, files: readonly string[]): void {
    for (const file of files) if (this.read(root, group, file) === null) this.#absent.add(file);
  }
}

export const missingIn = (usage: CgroupUsage): CgroupCounter[] =>
  CGROUP_COUNTERS.filter((counter) => usage[counter] === null).sort();

/** Everybody in a group, over all hierarchies: a join that was cut short leaves somebody in the first ones only. */
export function pidsOf(roots: readonly string[], group: string): number[] {
  const pids = new Set<number>();
  for (const root of roots) {
    let text: string;
    try {
      text = readText(`${root}/${group}/cgroup.procs`);
    } catch {
      continue; // no such group in this hierarchy: nobody in it
    }
    for (const line of text.split("\n")) if (line !== "") pids.add(Number(line));
  }
  return [...pids];
}
