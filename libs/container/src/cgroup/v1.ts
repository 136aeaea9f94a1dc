import { existsSync } from "node:fs";
import { type Backend, CounterFiles, missingIn } from "./backend.ts";
import type { V1Places } from "./choose.ts";
import { blkioSum, flatKeyed, nsToUs, single } from "./counters.ts";
import { readText, writeText } from "./file.ts";
import { killFrozen } from "./kill.ts";
import { cpuQuota, DEFAULT_CPU_PERIOD_US, sharesOfWeight } from "./limits.ts";

const COUNTER_FILES = {
  memory: ["memory.max_usage_in_bytes", "memory.oom_control"],
  cpu: ["cpu.stat"],
  cpuacct: ["cpuacct.usage"],
  pids: ["pids.peak"],
  blkio: ["blkio.throttle.io_service_bytes"],
} as const;

/**
 * cgroup v1: a hierarchy per controller (Documentation/admin-guide/cgroup-v1/).
 * blkio is joined because it is cheap (measured on 6.18: mkdir and rmdir together 65 µs, memory 215 µs). It counts reads and direct writes;
 * buffered writes are counted to the root by v1.
 */
export function cgroupV1(places: V1Places, periodUs: number): Backend {
  const { memory, cpu, cpuacct, pids, freezer, blkio } = places;
  // The freezer first: whoever has joined anything can be frozen and killed.
  const roots = [...new Set([freezer, memory, cpu, cpuacct, pids, ...(blkio ? [blkio] : [])])];
  const files = new CounterFiles();
  let limitsSwap = false;
  const frozenFile = (group: string): string => `${freezer}/${group}/freezer.state`;

  const backend: Backend = {
    version: "v1",
    roots,

    prepareParent() {},

    setLimits(group, limits) {
      const inMemory = `${memory}/${group}/memory`;
      writeText(`${inMemory}.limit_in_bytes`, String(limits.memory_bytes));
      // memory + swap not above memory: no swap. Without swap accounting (swapaccount=0) there is only the wish not to.
      if (limitsSwap) writeText(`${inMemory}.memsw.limit_in_bytes`, String(limits.memory_bytes));
      else writeText(`${inMemory}.swappiness`, "0");
      const { quota_us, period_us } = cpuQuota(limits.cpu_millis, periodUs);
      const inCpu = `${cpu}/${group}/cpu`;
      if (period_us !== DEFAULT_CPU_PERIOD_US) writeText(`${inCpu}.cfs_period_us`, String(period_us));
      writeText(`${inCpu}.cfs_quota_us`, String(quota_us));
      writeText(`${inCpu}.shares`, String(sharesOfWeight(limits.cpu_weight)));
      writeText(`${pids}/${group}/pids.max`, String(limits.pids));
    },

    usage(group) {
      const stat = files.read(cpu, group, "cpu.stat");
      const io = files.read(blkio, group, "blkio.throttle.io_service_bytes");
      return {
        cpu_us: nsToUs(single(files.read(cpuacct, group, "cpuacct.usage"))),
        // cpuacct.stat counts in ticks of 10 ms, and usage_user/usage_sys are what the timer tick happened to hit, not scaled to the exact total:
        // a call of 5 ms is all user, all system or neither. Not exact enough for a bill.
        cpu_user_us: null,
        cpu_system_us: null,
        throttled_us: nsToUs(flatKeyed(stat, "throttled_time")),
        throttled_periods: flatKeyed(stat, "nr_throttled"),
        memory_peak_bytes: single(files.read(memory, group, "memory.max_usage_in_bytes")),
        // memory.stat has the anonymous part of now only; no kernel keeps its peak.
        memory_anon_peak_bytes: null,
        oom_kills: flatKeyed(files.read(memory, group, "memory.oom_control"), "oom_kill"),
        io_read_bytes: blkioSum(io, "Read"),
        io_write_bytes: blkioSum(io, "Write"),
        pids_peak: single(files.read(pids, group, "pids.peak")),
      };
    },

    oomKills: (group) => flatKeyed(files.read(memory, group, "memory.oom_control"), "oom_kill") ?? 0,

    setFrozen: (group, frozen) => writeText(frozenFile(group), frozen ? "FROZEN" : "THAWED"),

    // FREEZING in between. Reading is what moves it on: the kernel looks at the tasks when asked (freezer_read).
    isFrozen: (group) => readText(frozenFile(group)).trim() === "FROZEN",

    kill: (group) => killFrozen(backend, group),

    probe(group) {
      limitsSwap = existsSync(`${memory}/${group}/memory.memsw.limit_in_bytes`);
      for (const [controller, names] of Object.entries(COUNTER_FILES)) {
        files.probe(places[controller as keyof typeof COUNTER_FILES], group, names);
      }
      return missingIn(backend.usage(group));
    },
  };
  return backend;
}
