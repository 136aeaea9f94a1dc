import type { CgroupUsage, InvocationRecord, InvokeJob, NetworkUsage, PhasesUs, Usage } from "@mayfly/contract";
import { charge, type PriceTable } from "@mayfly/ledger";
import { timestamp } from "../clock.ts";
import type { Verdict } from "./verdict.ts";

export interface Measured {
  readonly cgroup: CgroupUsage;
  /** null: its interface went with the worker that had it. */
  readonly network: NetworkUsage | null;
  /** CPU that the cgroup had counted when the request was handed over. */
  readonly initCpuUs: number | null;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly logBytes: number;
}

export interface RecordInput {
  readonly job: InvokeJob;
  readonly host: string;
  readonly cgroupVersion: "v1" | "v2";
  readonly startedAtUs: number | null;
  readonly endedAtUs: number;
  readonly start: InvocationRecord["start"];
  readonly phases: PhasesUs;
  readonly measured: Measured;
  readonly verdict: Verdict;
  readonly table: PriceTable;
}

/** The record of one ended attempt, bill included. Pure: the same facts give the same bill. */
export function makeRecord(input: RecordInput): InvocationRecord {
  const { job, verdict } = input;
  const { settings } = job.version;
  const usage = usageOf(input);
  const missing = Object.entries(usage)
    .filter(([, value]) => value === null)
    .map(([name]) => name)
    .sort();
  return {
    id: job.invocation,
    attempt: job.attempt,
    function: job.version.function,
    version: job.version.version,
    image: job.version.image,
    host: input.host,
    trigger: job.trigger,
    method: job.head.method,
    path: job.head.target,
    status: verdict.status,
    http_status: verdict.httpStatus,
    received_at: timestamp(job.received_at_us),
    started_at: input.startedAtUs === null ? null : timestamp(input.startedAtUs),
    ended_at: timestamp(input.endedAtUs),
    start: input.start,
    phases_us: input.phases,
    error: verdict.fault && {
      code: verdict.fault,
      message: verdict.message ?? "",
      ...(verdict.stack === undefined ? {} : { stack: verdict.stack }),
    },
    bill: {
      usage,
      meter: { cgroup: input.cgroupVersion, missing },
      ...charge({ usage, limits: settings, status: verdict.status, calls: 1 }, input.table),
    },
  };
}

function usageOf(input: RecordInput): Usage {
  const { cgroup, network, initCpuUs, requestBytes, responseBytes, logBytes } = input.measured;
  return {
    wall_us: input.phases.init + input.phases.handler,
    cpu_us: cgroup.cpu_us,
    cpu_user_us: cgroup.cpu_user_us,
    cpu_system_us: cgroup.cpu_system_us,
    init_cpu_us: initCpuUs,
    throttled_us: cgroup.throttled_us,
    throttled_periods: cgroup.throttled_periods,
    memory_limit_bytes: input.job.version.settings.memory_bytes,
    memory_peak_bytes: cgroup.memory_peak_bytes,
    memory_anon_peak_bytes: cgroup.memory_anon_peak_bytes,
    oom_kills: cgroup.oom_kills,
    io_read_bytes: cgroup.io_read_bytes,
    io_write_bytes: cgroup.io_write_bytes,
    // A box without a network moves no bytes: a measured zero, not a missing counter.
    net_rx_bytes: input.job.version.settings.network === "none" ? 0 : (network?.net_rx_bytes ?? null),
    net_tx_bytes: input.job.version.settings.network === "none" ? 0 : (network?.net_tx_bytes ?? null),
    pids_peak: cgroup.pids_peak,
    request_bytes: requestBytes,
    response_bytes: responseBytes,
    log_bytes: logBytes,
  };
}
