import { z } from "zod";
import { Charges } from "./charges.ts";
import { Digest, FunctionName, InvocationId } from "./id.ts";
import { BuildResult } from "./message.ts";
import { INVOCATION_STATUS } from "./outcome.ts";

/** The bill and the record it is part of, as `GET /v1/invocations/{id}` shows them (docs/specification.md). */

const count = z.int().nonnegative();
const counter = count.nullable();

export const UsageSchema = z.object({
  wall_us: count,
  cpu_us: counter,
  cpu_user_us: counter,
  cpu_system_us: counter,
  init_cpu_us: counter,
  throttled_us: counter,
  throttled_periods: counter,
  memory_limit_bytes: count,
  memory_peak_bytes: counter,
  memory_anon_peak_bytes: counter,
  oom_kills: counter,
  io_read_bytes: counter,
  io_write_bytes: counter,
  net_rx_bytes: counter,
  net_tx_bytes: counter,
  pids_peak: counter,
  request_bytes: count,
  response_bytes: count,
  log_bytes: count,
});

export const Bill = z.object({
  usage: UsageSchema,
  meter: z.object({ cgroup: z.enum(["v1", "v2"]), missing: z.array(z.string()) }),
  ...Charges.shape,
});
export type Bill = z.infer<typeof Bill>;

/** Added by the ledger when the bill is entered. */
export interface LedgerEntry {
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
}

export const LogLine = z.object({ t_us: z.int(), stream: z.enum(["stdout", "stderr"]), text: z.string() });
export type LogLine = z.infer<typeof LogLine>;

/** One ended attempt of an invocation. Written once by the worker, durable before its job completes. */
export const InvocationRecord = z.object({
  id: InvocationId,
  attempt: z.int().positive(),
  function: FunctionName,
  version: z.int().positive(),
  image: Digest,
  host: z.string(),
  trigger: z.enum(["http", "async", "cron"]),
  method: z.string(),
  path: z.string(),
  status: z.enum(INVOCATION_STATUS),
  http_status: z.int().nullable(),
  received_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string(),
  /** How its runtime came into the box: forked by a nursery, or booted in it. Null when there was no box. */
  start: z.enum(["ready", "forked", "booted"]).nullable().default(null),
  phases_us: z.object({ queue: count, box: count, init: count, handler: count, teardown: count }),
  error: z.object({ code: z.string(), message: z.string(), stack: z.string().optional() }).nullable(),
  bill: Bill,
});
export type InvocationRecord = z.infer<typeof InvocationRecord>;

/** What a worker's spool holds until the gateway has acknowledged it. Delivered at least once; entered once. */
export const OutboxRecord = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("invocation"),
    record: InvocationRecord,
    log: z.array(LogLine),
    log_dropped_bytes: count,
  }),
  z.object({ kind: z.literal("build"), result: BuildResult }),
]);
export type OutboxRecord = z.infer<typeof OutboxRecord>;
