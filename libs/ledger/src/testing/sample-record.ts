import { type Digest, type FunctionName, newInvocationId, type OutboxRecord } from "@mayfly/contract";
import { charge } from "../price/charge.ts";
import { defaultPriceTable } from "../price/table.ts";

type InvocationOutbox = Extract<OutboxRecord, { kind: "invocation" }>;

/** A whole record as a worker makes it, for tests. */
export function sampleRecord(n: number, options: { function?: string; wall_us?: number } = {}): InvocationOutbox {
  const usage = {
    wall_us: options.wall_us ?? 4_800,
    cpu_us: 4_210,
    cpu_user_us: null,
    cpu_system_us: null,
    init_cpu_us: 1_700,
    throttled_us: 0,
    throttled_periods: 0,
    memory_limit_bytes: 134_217_728,
    memory_peak_bytes: 1_900_544,
    memory_anon_peak_bytes: null,
    oom_kills: 0,
    io_read_bytes: 0,
    io_write_bytes: 0,
    net_rx_bytes: 0,
    net_tx_bytes: 0,
    pids_peak: 7,
    request_bytes: 84,
    response_bytes: 512,
    log_bytes: 0,
  };
  const status = "succeeded" as const;
  const ended = new Date(Date.UTC(2026, 10, 24, 0, 0, n)).toISOString();
  return {
    kind: "invocation",
    log: [],
    log_dropped_bytes: 0,
    record: {
      id: newInvocationId(n),
      attempt: 1,
      function: (options.function ?? "hello") as FunctionName,
      version: 1,
      image: `sha256:${"a".repeat(64)}` as Digest,
      host: "h",
      trigger: "http",
      method: "GET",
      path: "/",
      status,
      http_status: 200,
      received_at: ended,
      started_at: ended,
      ended_at: ended,
      start: "booted",
      phases_us: { queue: 900, box: 1_200, init: 1_900, handler: 2_900, teardown: 800 },
      error: null,
      bill: {
        usage,
        meter: { cgroup: "v1", missing: ["cpu_system_us", "cpu_user_us", "memory_anon_peak_bytes"] },
        ...charge({ usage, limits: { memory_bytes: 134_217_728 }, status, calls: 1 }, defaultPriceTable()),
      },
    },
  };
}
