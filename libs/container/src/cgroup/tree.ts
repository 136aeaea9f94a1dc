import type { CgroupCounter, CgroupUsage } from "@mayfly/contract";

/** What one box may take. The kernel holds these; nothing here polls. */
export interface CgroupLimits {
  /** Anonymous memory, page cache, tmpfs and kernel memory together. Swap is always 0. */
  readonly memory_bytes: number;
  /** Thousandths of a core, enforced per period (see `cpuPeriodUs` of {@link CgroupTreeOptions}). */
  readonly cpu_millis: number;
  /** 1 to 10000, as cgroup v2 counts it; 100 is the middle. */
  readonly cpu_weight: number;
  readonly pids: number;
}

export interface CgroupTreeOptions {
  /** Name of this Mayfly among several on the host: `[a-z0-9-]`, 1 to 63 characters. */
  readonly instance: string;
  /** Text of /proc/self/mountinfo; read from there when not given. */
  readonly mountinfo?: string;
  /**
   * The CFS period. 100 ms by default, the kernel's own: a call shorter than its quota is never interrupted. A small one (5000) makes
   * a limit visible in every call and evens out latency between neighbours, and costs a timer per period and box.
   * A period whose quota would fall under the kernel's floor of 1 ms is lengthened until the share is right.
   */
  readonly cpuPeriodUs?: number;
}

/** The groups of one Mayfly: `mayfly/<instance>/<id>` in every hierarchy that is used, and `boot` beside them. */
export interface CgroupTree {
  readonly version: "v1" | "v2";
  /** Counters this kernel does not offer, sorted; they are null in every usage. */
  readonly missing: readonly CgroupCounter[];
  /** Makes the group and sets its limits. @throws CgroupError; a half-made group is taken away again. */
  create(id: string, limits: CgroupLimits): Cgroup;
  /** A handle on a group that may exist (an orphan's). Never makes anything. */
  open(id: string): Cgroup;
  /** Ids of all groups of this instance, sorted, `boot` not among them. */
  list(): string[];
  /** procs files of the group for runtimes that boot: unlimited, unbilled. */
  readonly boot: readonly string[];
  /** Removes what is empty of ours: `boot`, the instance, and `mayfly` when no other instance lives there. Groups with boxes stay. */
  close(): Promise<void>;
}

/** One box's group, in every hierarchy. */
export interface Cgroup {
  readonly id: string;
  /** Writing a pid (or 0 for oneself) to each of them joins. */
  readonly procsFiles: readonly string[];
  /** What the kernel counted so far. Exact for CPU only once the processes are off the CPU (ended or frozen). */
  usage(): CgroupUsage;
  /** True when the kernel killed in here for want of memory. */
  oomKilled(): boolean;
  /** Moves a process (all its threads) in here. @throws CgroupError, ESRCH when it is gone. */
  add(pid: number): Promise<void>;
  /** Processes in here as this process' pid namespace numbers them; 0 stands for one that it cannot see. */
  pids(): number[];
  /** Resolves when every process in here has stopped. Bounded; thaws again before it throws. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** SIGKILL to everything in here, whatever forks meanwhile. Resolves when empty; bounded. Works on a frozen group too. */
  kill(): Promise<void>;
  /** Removes the group; one that is gone already is no error. @throws CgroupError EBUSY, naming who still lives in it. */
  remove(): Promise<void>;
}
