import { existsSync } from "node:fs";
import { type Backend, CounterFiles, missingIn } from "./backend.ts";
import { V2_REQUIRED } from "./choose.ts";
import { flatKeyed, nestedKeyedSum, single } from "./counters.ts";
import { CgroupError } from "./error.ts";
import { readText, writeText } from "./file.ts";
import { emptied } from "./kill.ts";
import { cpuQuota } from "./limits.ts";

const COUNTER_FILES = ["cpu.stat", "memory.peak", "memory.events", "io.stat", "pids.peak"] as const;

const words = (path: string): string[] => readText(path).trim().split(" ");

/** cgroup v2: one tree (Documentation/admin-guide/cgroup-v2.rst). */
export function cgroupV2(root: string, periodUs: number): Backend {
  const files = new CounterFiles();
  let limitsSwap = false;

  const backend: Backend = {
    version: "v2",
    roots: [root],

    prepareParent(group) {
      // Above us belongs to others (systemd): what they have not enabled for their children, we ask for and do not take.
      const given = words(`${root}/${group}/cgroup.controllers`);
      const missing = V2_REQUIRED.filter((controller) => !given.includes(controller));
      if (missing.length > 0) {
        const control = `${root}/cgroup.subtree_control`;
        const ask = [...missing, "io"].map((controller) => `+${controller}`).join(" ");
        throw new CgroupError(
          `use ${missing.join(", ")} of`,
          control,
          "ENOENT",
          `enable it: echo "${ask}" > ${control}`,
        );
      }
      const want = [...V2_REQUIRED, ...(given.includes("io") ? ["io"] : [])];
      const enabled = words(`${root}/${group}/cgroup.subtree_control`);
      const absent = want.filter((controller) => !enabled.includes(controller));
      if (absent.length === 0) return;
      writeText(`${root}/${group}/cgroup.subtree_control`, absent.map((controller) => `+${controller}`).join(" "));
    },

    setLimits(group, limits) {
      const at = `${root}/${group}`;
      writeText(`${at}/memory.max`, String(limits.memory_bytes));
      // Not there without CONFIG_SWAP or with swapaccount=0: then nothing can be swapped, or nothing can be said about it.
      if (limitsSwap) writeText(`${at}/memory.swap.max`, "0");
      // Out of memory ends the box as a whole, not a process of it that the box then waits for.
      writeText(`${at}/memory.oom.group`, "1");
      const { quota_us, period_us } = cpuQuota(limits.cpu_millis, periodUs);
      writeText(`${at}/cpu.max`, `${quota_us} ${period_us}`);
      writeText(`${at}/cpu.weight`, String(limits.cpu_weight));
      writeText(`${at}/pids.max`, String(limits.pids));
    },

    usage(group) {
      const stat = files.read(root, group, "cpu.stat");
      const io = files.read(root, group, "io.stat");
      return {
        cpu_us: flatKeyed(stat, "usage_usec"),
        // The sum of these two is exact; the split is scaled from timer ticks (cputime_adjust).
        cpu_user_us: flatKeyed(stat, "user_usec"),
        cpu_system_us: flatKeyed(stat, "system_usec"),
        throttled_us: flatKeyed(stat, "throttled_usec"),
        throttled_periods: flatKeyed(stat, "nr_throttled"),
        memory_peak_bytes: single(files.read(root, group, "memory.peak")),
        // memory.stat has the anonymous part of now only; no kernel keeps its peak.
        memory_anon_peak_bytes: null,
        oom_kills: flatKeyed(files.read(root, group, "memory.events"), "oom_kill"),
        io_read_bytes: nestedKeyedSum(io, "rbytes"),
        io_write_bytes: nestedKeyedSum(io, "wbytes"),
        pids_peak: single(files.read(root, group, "pids.peak")),
      };
    },

    oomKills: (group) => flatKeyed(files.read(root, group, "memory.events"), "oom_kill") ?? 0,

    setFrozen: (group, frozen) => writeText(`${root}/${group}/cgroup.freeze`, frozen ? "1" : "0"),

    isFrozen: (group) => flatKeyed(readText(`${root}/${group}/cgroup.events`), "frozen") === 1,

    async kill(group) {
      // The kernel's own, fork racers included; the frozen die as well.
      if (!existsSync(`${root}/${group}/cgroup.procs`)) return;
      writeText(`${root}/${group}/cgroup.kill`, "1");
      await emptied(backend, group);
    },

    probe(group) {
      if (!existsSync(`${root}/${group}/cgroup.kill`)) {
        throw new CgroupError(
          "find",
          `${root}/${group}/cgroup.kill`,
          "ENOENT",
          "use Linux 5.14 or later, or cgroup v1",
        );
      }
      limitsSwap = existsSync(`${root}/${group}/memory.swap.max`);
      files.probe(root, group, COUNTER_FILES);
      return missingIn(backend.usage(group));
    },
  };
  return backend;
}
