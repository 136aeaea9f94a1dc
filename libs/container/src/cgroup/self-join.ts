/**
 * The files by which a process of one thread joins a group by itself, writing "0". On v1 that is `tasks`: moving the writer's own and only
 * thread needs no lock over all forks and exits of the machine, whose taking waits for an RCU grace period (kernel 5.16,
 * cgroup_procs_write_start). On v2 there is `cgroup.procs` alone.
 */
export const selfJoinFiles = (version: "v1" | "v2", procsFiles: readonly string[]): string[] =>
  procsFiles.map((file) => (version === "v1" ? file.replace(/cgroup\.procs$/, "tasks") : file));
