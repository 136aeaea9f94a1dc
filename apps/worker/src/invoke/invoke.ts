import type { Box } from "@mayfly/container";
import {
  type BoxHead,
  FAULTS,
  type FaultCode,
  FIXED_LIMITS,
  FRAME,
  type InvokeJob,
  type PhasesUs,
} from "@mayfly/contract";
import { connectChannel, FrameChannel } from "@mayfly/queue";
import { MODULE_PATH } from "@mayfly/runtime";
import type { WorkerDeps } from "../deps.ts";
import { booted, load, noTraffic, passRequest, passResponse, type Traffic } from "./exchange.ts";
import { LogCapture } from "./log-capture.ts";
import { isMade, makeBox } from "./make-box.ts";
import { makeRecord } from "./record.ts";
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
  deps.notes.write({ job, host: deps.host, started_at_us: startedAtUs });
  const log = new LogCapture(FIXED_LIMITS.log_bytes, clock.epochUs);
  const traffic = noTraffic();
  const times = { picked: pickedUp, made: 0, ready: 0, ended: 0 };
  const release = deps.inUse.hold(job.version.image);
  try {
    const box = await makeBox(job, deps);
    const initCpuUs = !isMade(box)
      ? null
      : await serve(box, { job, gateway, traffic, log, times, queue, deps, signal });
    const ending = await box.ended;
    times.ended = clock.monotonicUs();
    const verdict = judge({ ...traffic, ending });
    // The caller is told before the counters are read: they do not wait for each other.
    await tell(gateway, traffic, verdict.fault, verdict.message);
    await log.settled();
    const cgroup = await box.remove();
    const record = makeRecord({
      job,
      host: deps.host,
      cgroupVersion: deps.boxes.cgroup,
      startedAtUs,
      endedAtUs: clock.epochUs(),
      start: isMade(box) ? (box.forked ? "forked" : "booted") : null,
      phases: phasesOf(times, queue, clock.monotonicUs()),
      measured: {
        cgroup,
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
    gateway.close();
  }
}

/** How long a box that told of its failure may take to end by itself. */
const ENDS_WITHIN_MS = 500;

interface Call {
  readonly job: InvokeJob;
  readonly gateway: FrameChannel;
  readonly traffic: Traffic;
  readonly log: LogCapture;
  readonly times: { picked: number; made: number; ready: number; ended: number };
  readonly queue: number;
  readonly deps: WorkerDeps;
  readonly signal: AbortSignal;
}

/**
 * Takes the box through its life until it has answered or cannot. All endings race on `box.ended`: the deadline, a client that went
 * away and our own shutdown only kill the box. Returns the CPU it had used when it got its request.
 */
async function serve(box: Box, call: Call): Promise<number | null> {
  const { clock } = call.deps;
  call.log.attach("stdout", box.stdout);
  call.log.attach("stderr", box.stderr);
  const deadline = setTimeout(
    () => box.kill({ kind: "timeout" }),
    Math.max(0, call.job.deadline_ms - clock.epochUs() / 1000),
  );
  const onShutdown = () => box.kill({ kind: "killed", reason: "the worker is shutting down" });
  call.signal.addEventListener("abort", onShutdown, { once: true });
  const inside = new FrameChannel(box.channel!);
  let initCpuUs: number | null = null;
  let stopping: NodeJS.Timeout | undefined;
  try {
    // It ends with the box at the latest: then nothing more can come.
    await talk();
    // A complete answer may be followed by what ctx.waitUntil holds; a box that failed has nothing more to do.
    const over = () => box.kill({ kind: "killed", reason: "its answer failed" });
    if (!call.traffic.complete) stopping = setTimeout(over, ENDS_WITHIN_MS);
    await box.ended;
  } finally {
    clearTimeout(deadline);
    clearTimeout(stopping);
    call.signal.removeEventListener("abort", onShutdown);
    inside.destroy();
  }
  return initCpuUs;

  async function talk(): Promise<void> {
    // A fork is up, and in its cgroup, from the beginning.
    if (!box.forked) {
      if (!(await booted(inside))) return;
      await box.handover();
    }
    call.times.made = clock.monotonicUs();
    if (!(await load(inside, call.job, MODULE_PATH, call.traffic))) return;
    call.times.ready = clock.monotonicUs();
    initCpuUs = box.sample().cpu_us;
    const { invocation, deadline_ms } = call.job;
    await inside.sendJson(FRAME.HEAD, { ...call.job.head, invocation, deadline_ms } satisfies BoxHead);
    // The request may go on after the answer is complete; the answer may be complete before the request is.
    void passRequest(call.gateway, inside, call.traffic)
      .catch(() => {
        // The box closed its end: its ending says why.
      })
      .then(() => call.traffic.clientGone && box.kill({ kind: "killed", reason: "the caller went away" }));
    const timing = () => serverTiming(call, clock.monotonicUs());
    await passResponse(inside, call.gateway, timing, call.traffic).catch(() => {
      call.traffic.clientGone ||= !call.traffic.complete;
    });
    // The box waits for it: an answer must not be overtaken by what is still sent to a box that ends.
    if (call.traffic.complete || call.traffic.boxError !== null) inside.close();
    if (call.traffic.clientGone) box.kill({ kind: "killed", reason: "the caller went away" });
  }
}

const ms = (us: number): string => (Math.max(0, us) / 1000).toFixed(1);

function serverTiming(call: Call, now: number): string {
  const { picked, made, ready } = call.times;
  return `queue;dur=${ms(call.queue)}, box;dur=${ms(made - picked)}, init;dur=${ms(ready - made)}, handler;dur=${ms(now - ready)}`;
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

/** Phases that never began are 0; the phase in which the box ended holds the rest. */
function phasesOf(times: Call["times"], queue: number, now: number): PhasesUs {
  const made = times.made || times.ended;
  const ready = times.made ? times.ready || times.ended : times.ended;
  return {
    queue,
    box: made - times.picked,
    init: ready - made,
    handler: times.ended - ready,
    teardown: Math.max(0, now - times.ended),
  };
}
