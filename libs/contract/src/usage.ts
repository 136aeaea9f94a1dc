/**
 * What the kernel counted for one box. A counter the kernel does not offer is null and is named in `Meter.missing`; it is never 0.
 * Sources per cgroup version: libs/container/src/cgroup.
 */
export interface Usage {
  /** init + handler, monotonic clock. */
  readonly wall_us: number;
  readonly cpu_us: number | null;
  readonly cpu_user_us: number | null;
  readonly cpu_system_us: number | null;
  /** The part of cpu_us that was spent before the box got its request (loading user code). */
  readonly init_cpu_us: number | null;
  readonly throttled_us: number | null;
  readonly throttled_periods: number | null;
  readonly memory_limit_bytes: number;
  readonly memory_peak_bytes: number | null;
  readonly memory_anon_peak_bytes: number | null;
  readonly oom_kills: number | null;
  readonly io_read_bytes: number | null;
  readonly io_write_bytes: number | null;
  readonly net_rx_bytes: number | null;
  readonly net_tx_bytes: number | null;
  readonly pids_peak: number | null;
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly log_bytes: number;
}

/** The counters of `Usage` that come from a cgroup. libs/container returns these; the worker adds what it counted itself. */
export const CGROUP_COUNTERS = [
  "cpu_us",
  "cpu_user_us",
  "cpu_system_us",
  "throttled_us",
  "throttled_periods",
  "memory_peak_bytes",
  "memory_anon_peak_bytes",
  "oom_kills",
  "io_read_bytes",
  "io_write_bytes",
  "pids_peak",
] as const;
export type CgroupCounter = (typeof CGROUP_COUNTERS)[number];
export type CgroupUsage = Readonly<Record<CgroupCounter, number | null>>;

/** The counters of `Usage` that come from a box's network interface, as the box sees it; null: its interface could not be asked. */
export type NetworkUsage = Pick<Usage, "net_rx_bytes" | "net_tx_bytes">;

export interface Meter {
  readonly cgroup: "v1" | "v2";
  /** Names of the counters that are null, sorted. */
  readonly missing: readonly string[];
}

export interface PhasesUs {
  /** Admission until a worker took it. */
  readonly queue: number;
  /** Making the box: namespaces, mounts, cgroup, and the runtime's boot where there is one. */
  readonly box: number;
  /** Loading user code. Billed. */
  readonly init: number;
  /** Request handed over until the box is done with it. Billed. */
  readonly handler: number;
  readonly teardown: number;
}
