import { readdirSync, readFileSync } from "node:fs";

/** The kernel's unit in /proc/PID/stat: USER_HZ, 100 on every architecture that we run on. */
const TICK_MS = 10;

/**
 * CPU that processes have used, with the children that they have reaped, in ms. The kernel keeps it exactly and shows it in ticks, so
 * read it around many operations. Work that the kernel does on threads of its own (it takes away network namespaces and cgroups there) is
 * nobody's, with every peer.
 */
export function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = statOf(pid);
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks * TICK_MS;
}

/** What lives below a process, however deep. */
export const descendantsOf = (pid: number): number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);

/** Living children of a process. */
export const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return Number(statOf(child)[1]) === pid;
      } catch {
        return false; // it ended while we looked
      }
    });

/** Fields of /proc/PID/stat from the third on: the second is the name, which may hold anything. */
const statOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
