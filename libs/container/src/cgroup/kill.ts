import { type Backend, pidsOf } from "./backend.ts";
import { CgroupError, errnoOf } from "./error.ts";
import { waitUntil } from "./wait.ts";

/** How long a kill may take. What is killed and still there has a reason in the kernel (a dead disk, say), which waiting does not cure. */
const KILL_BOUND_MS = 10_000;
const FREEZE_BOUND_MS = 250;

export async function emptied(backend: Backend, group: string, boundMs: number = KILL_BOUND_MS): Promise<void> {
  if (await waitUntil(() => pidsOf(backend.roots, group).length === 0, boundMs)) return;
  throw stillThere(backend, group, "kill everything in");
}

export function stillThere(backend: Backend, group: string, step: string): CgroupError {
  const pids = pidsOf(backend.roots, group);
  return new CgroupError(
    step,
    `${backend.roots[0]}/${group}`,
    "EBUSY",
    pids.includes(0)
      ? "processes in it are invisible here: run the worker in the host's pid namespace"
      : `pids ${pids.join(" ") || "none, but a child group"} still live in it: see /proc/<pid>/stack for what holds them`,
  );
}

/**
 * The kill of v1, which has none of its own: freeze, so that nobody forks or dies while the list is read (pids cannot be re-used under our
 * hands), SIGKILL everybody, thaw, so that they get it (v1 delivers nothing to the frozen), look again. As in runc's signalAllProcesses.
 * It always thaws: a group left frozen could never be emptied again.
 */
export async function killFrozen(backend: Backend, group: string): Promise<void> {
  const end = performance.now() + KILL_BOUND_MS;
  while (pidsOf(backend.roots, group).length > 0) {
    if (performance.now() >= end) throw stillThere(backend, group, "kill everything in");
    try {
      backend.setFrozen(group, true);
      // Somebody in an uninterruptible sleep may never freeze; the others are killed all the same.
      await waitUntil(() => backend.isFrozen(group), FREEZE_BOUND_MS);
      for (const pid of pidsOf(backend.roots, group)) sigkill(pid);
    } finally {
      backend.setFrozen(group, false);
    }
    await waitUntil(() => pidsOf(backend.roots, group).length === 0, FREEZE_BOUND_MS);
  }
}

function sigkill(pid: number): void {
  if (pid === 0) return; // to kill(2) 0 is our own process group; in cgroup.procs it is somebody of another pid namespace
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw new CgroupError("SIGKILL to pid", String(pid), errnoOf(error), null, error);
  }
}
