import type { Backend } from "./backend.ts";
import { pidsOf } from "./backend.ts";
import { CgroupError } from "./error.ts";
import { removeDir, writeText, writeTextAside } from "./file.ts";
import { stillThere } from "./kill.ts";
import type { Cgroup } from "./tree.ts";
import { waitUntil } from "./wait.ts";

const FREEZE_BOUND_MS = 2000;
/** A group is busy for a moment after its last process ended: the kernel lets go of tasks and charges by RCU. */
const REMOVE_BOUND_MS = 2000;

/** A handle on `parent/<id>`, the same for both versions. */
export function groupHandle(backend: Backend, parent: string, id: string): Cgroup {
  const group = `${parent}/${id}`;
  const procsFiles = procsFilesOf(backend, group);
  return {
    id,
    procsFiles,
    usage: () => backend.usage(group),
    oomKilled: () => backend.oomKills(group) > 0,
    add: async (pid) => {
      if (!Number.isInteger(pid) || pid <= 0) throw new RangeError(`pid ${pid}: to the kernel 0 is the writer itself`);
      // Moving somebody else takes a lock over all forks and exits of the machine. From idle that waits for an RCU grace period, 8 ms
      // and more (rcu_sync_enter); the hierarchies after the first find it taken a moment ago.
      const [first, ...others] = procsFiles;
      await writeTextAside(first!, String(pid));
      for (const file of others) writeText(file, String(pid));
    },
    pids: () => pidsOf(backend.roots, group),
    freeze: async () => {
      backend.setFrozen(group, true);
      let frozen = false;
      try {
        frozen = await waitUntil(() => backend.isFrozen(group), FREEZE_BOUND_MS);
      } finally {
        if (!frozen) backend.setFrozen(group, false);
      }
      if (frozen) return;
      const still = `within ${FREEZE_BOUND_MS} ms; it runs on. A process in uninterruptible sleep (state D) cannot stop`;
      throw new CgroupError("freeze", `${backend.roots[0]}/${group}`, "ETIMEDOUT", still);
    },
    thaw: async () => backend.setFrozen(group, false),
    kill: () => backend.kill(group),
    remove: async () => {
      if (!(await removeGroup(backend, group, REMOVE_BOUND_MS))) throw stillThere(backend, group, "rmdir");
    },
  };
}

export const procsFilesOf = (backend: Backend, group: string): string[] =>
  backend.roots.map((root) => `${root}/${group}/cgroup.procs`);

/** True when it is gone from every hierarchy. */
export const removeGroup = (backend: Backend, group: string, boundMs: number): Promise<boolean> =>
  waitUntil(() => {
    let gone = true;
    for (const root of backend.roots) if (!removeDir(`${root}/${group}`)) gone = false;
    return gone;
  }, boundMs);
