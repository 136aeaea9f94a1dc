import type { Box } from "@mayfly/container";
import type { InvokeJob } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";
import type { WorkerDeps } from "../deps.ts";
import type { Program } from "../program/program.ts";
import type { ReadyBox } from "../ready/prepare.ts";
import type { Traffic } from "./exchange.ts";
import type { LogCapture } from "./log-capture.ts";

/** How long a box that told of its failure may take to end by itself. */
const ENDS_WITHIN_MS = 500;

export interface Call {
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
export async function serve(box: Box, program: Program, ready: ReadyBox | null, call: Call): Promise<number | null> {
  const { clock } = call.deps;
  if (!program.takesOutput) call.log.attach("stdout", box.stdout);
  call.log.attach("stderr", box.stderr);
  const deadline = setTimeout(
    () => box.kill({ kind: "timeout" }),
    Math.max(0, call.job.deadline_ms - clock.epochUs() / 1000),
  );
  const onShutdown = () => box.kill({ kind: "killed", reason: "the worker is shutting down" });
  call.signal.addEventListener("abort", onShutdown, { once: true });
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
    program.close();
  }
  return initCpuUs;

  async function wake(ready: ReadyBox): Promise<true> {
    await box.thaw();
    call.times.made = call.times.ready = clock.monotonicUs();
    initCpuUs = ready.initCpuUs;
    return true;
  }

  async function initialise(): Promise<boolean> {
    const onMade = () => {
      call.times.made = clock.monotonicUs();
    };
    if (!(await program.initialise(call.traffic, onMade))) return false;
    call.times.ready = clock.monotonicUs();
    initCpuUs = box.sample().cpu_us;
    return true;
  }

  async function talk(): Promise<void> {
    if (!(await (ready ? wake(ready) : initialise()))) return;
    const { job, gateway, traffic } = call;
    await program.answer({ job, gateway, traffic, timing: () => serverTiming(call, clock.monotonicUs()) });
    if (traffic.clientGone) box.kill({ kind: "killed", reason: "the caller went away" });
  }
}

const ms = (us: number): string => (Math.max(0, us) / 1000).toFixed(1);

function serverTiming(call: Call, now: number): string {
  const { picked, made, ready } = call.times;
  return `queue;dur=${ms(call.queue)}, box;dur=${ms(made - picked)}, init;dur=${ms(ready - made)}, handler;dur=${ms(now - ready)}`;
}
