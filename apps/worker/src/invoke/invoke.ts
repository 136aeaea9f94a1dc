import type { Box } from "@mayfly/container";
import {
  FAULTS,
  type FaultCode,
  FIXED_LIMITS,
  FRAME,
  type InvocationRecord,
  type InvokeJob,
  type PhasesUs,
} from "@mayfly/contract";
import { connectChannel, type FrameChannel } from "@mayfly/queue";
import type { WorkerDeps } from "../deps.ts";
import { openProgram } from "../program/open.ts";
import type { ReadyBox } from "../ready/prepare.ts";
import { noTraffic, type Traffic } from "./exchange.ts";
import { LogCapture } from "./log-capture.ts";
import { isMade, makeBox, type Unmade } from "./make-box.ts";
import { makeRecord } from "./record.ts";
import { type Call, serve } from "./serve.ts";
import { judge } from "./verdict.ts";

/**
 * One invocation, whole: claim it from the gateway, make a box, load user code, hand the request over, pass both bodies, let the
 * box end, read its counters, write the bill. Resolves when the bill is durable, so that the job completes after it.
 *
 * A call that the gateway no longer wants is dropped before a box exists. From the first box on there is exactly one record.
 */
export async function invoke(job: InvokeJob, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const { clock } = deps;
  const pickedUp = clock.monotonicUs();
  const queue = Math.max(0, clock.epochUs() - job.received_at_us);
  const { channel: gateway, go } = await connectChannel(job.channel, {
    kind: "invocation",
    invocation: job.invocation,
    attempt: job.attempt,
    host: deps.host,
  });
  if (!go.go) return gateway.close();

  const startedAtUs = clock.epochUs();
  const { version, invocation } = job;
  const { ready, ended } = deps.ready.begin(version);
  const log = new LogCapture(FIXED_LIMITS.log_bytes, clock.epochUs);
  const traffic = noTraffic();
  const times = { picked: pickedUp, made: 0, ready: 0, ended: 0 };
  const release = deps.inUse.hold(job.version.image);
  try {
    deps.notes.write({ job, box: ready?.box.id ?? invocation, host: deps.host, started_at_us: startedAtUs });
    const box =
      ready?.box ?? (await makeBox({ id: invocation, version, contracts: [version.contract], call: job }, deps));
    const initCpuUs = !isMade(box)
      ? null
      : await serve(box, ready?.program ?? openProgram(box, version), ready, {
          job,
          gateway,
          traffic,
          log,
          times,
          queue,
          deps,
          signal,
        });
    const ending = await box.ended;
    times.ended = clock.monotonicUs();
    const verdict = judge({ ...traffic, ending });
    // The caller is told before the counters are read: they do not wait for each other.
    await tell(gateway, traffic, verdict.fault, verdict.message);
    await log.settled();
    const usage = await box.remove();
    const record = makeRecord({
      job,
      host: deps.host,
      cgroupVersion: deps.boxes.cgroup,
      startedAtUs,
      endedAtUs: clock.epochUs(),
      start: startOf(box, ready),
      phases: phasesOf(times, queue, ready?.initUs ?? 0, clock.monotonicUs()),
      measured: {
        cgroup: usage,
        network: usage,
        initCpuUs,
        requestBytes: traffic.requestBytes,
        responseBytes: traffic.responseBytes,
        logBytes: log.totalBytes,
      },
      verdict,
      table: deps.priceTable,
    });
    await deps.spool.put({ kind: "invocation", record, log: log.lines, log_dropped_bytes: log.droppedBytes });
    deps.notes.remove(job.invocation);
    deps.shipper.wake();
  } finally {
    release();
    ready?.release();
    ended();
    gateway.close();
  }
}

async function tell(
  gateway: FrameChannel,
  traffic: Traffic,
  fault: FaultCode | null,
  message: string | null,
): Promise<void> {
  if (fault === null || traffic.complete || !Object.hasOwn(FAULTS, fault)) return;
  await gateway.sendJson(FRAME.ERROR, { code: fault, message: message ?? "" }).catch(() => {
    // The client went first; the record says so.
  });
}

function startOf(box: Box | Unmade, ready: ReadyBox | null): InvocationRecord["start"] {
  if (ready) return "ready";
  if (!isMade(box)) return null;
  return box.forked ? "forked" : "booted";
}

/**
 * Phases that never began are 0; the phase in which the box ended holds the rest. `before`: user code of a ready box was loaded before
 * the call, for this call and no other.
 */
function phasesOf(times: Call["times"], queue: number, before: number, now: number): PhasesUs {
  const made = times.made || times.ended;
  const ready = times.made ? times.ready || times.ended : times.ended;
  return {
    queue,
    box: made - times.picked,
    init: before + ready - made,
    handler: times.ended - ready,
    teardown: Math.max(0, now - times.ended),
  };
}
