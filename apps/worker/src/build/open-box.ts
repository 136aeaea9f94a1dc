import type { BoxRequest, BoxSession, BoxUsage, OpenBox } from "@mayfly/build";
import type { CgroupUsage, Frame } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { tellLines } from "./log-lines.ts";
import { type StandingBox, standingBox } from "./standing-box.ts";

/**
 * Lends boxes to the builder: libs/build knows frames and images, libs/container knows boxes, and here they meet.
 * `id` names the build; each box of it that did not wait for it gets a cgroup of its own below that name.
 */
export function boxLender(id: string, deps: WorkerDeps, signal: AbortSignal): OpenBox {
  let opened = 0;
  return async (request): Promise<BoxSession> => {
    opened += 1;
    const began = deps.clock.monotonicUs();
    const waited = request.start === "ahead" ? await deps.builders.take(request) : null;
    const standing = waited ?? (await standingBox(`${id}-${opened}`, request, deps));
    return request.start === "ahead"
      ? lent(standing, request, { signal, began: deps.clock.monotonicUs(), before: standing.box.sample() }, deps)
      : lent(standing, request, { signal, began, before: null }, deps);
  };
}

interface Lending {
  readonly signal: AbortSignal;
  /** Monotonic, in µs. */
  readonly began: number;
  /** What the box had used before it was lent; null: all that it uses counts. */
  readonly before: CgroupUsage | null;
}

function lent(
  { box, channel, first, release }: StandingBox,
  request: BoxRequest,
  { signal, began, before }: Lending,
  { clock }: Pick<WorkerDeps, "clock">,
): BoxSession {
  const told = tellLines(box, request.onLog);
  const stop = (reason: string) => box.kill({ kind: "killed", reason });
  const onAbort = () => stop("the build was cancelled");
  signal.addEventListener("abort", onAbort, { once: true });
  const deadline = setTimeout(() => box.kill({ kind: "timeout" }), request.timeout_ms);
  const ended = box.ended.then(async (ending) => {
    clearTimeout(deadline);
    signal.removeEventListener("abort", onAbort);
    const wall_us = clock.monotonicUs() - began;
    const usage = await box.remove();
    await told;
    release();
    return { ending, usage: before === null ? usage : since(before, usage), wall_us };
  });
  const frames = first === null ? channel.frames : preceded(first, channel.frames);
  return { send: (frame) => channel.sendRaw(frame), frames, stop, ended };
}

async function* preceded(first: Frame, frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
  yield first;
  yield* frames;
}

/** Counters that only grow. Peaks are the box's own: its limits held from its first instruction. */
const GROWING = [
  "cpu_us",
  "cpu_user_us",
  "cpu_system_us",
  "throttled_us",
  "throttled_periods",
  "io_read_bytes",
  "io_write_bytes",
] as const;

function since(before: CgroupUsage, usage: BoxUsage): BoxUsage {
  const grown = GROWING.map((name) => {
    const [from, to] = [before[name], usage[name]];
    return [name, from === null || to === null ? null : to - from];
  });
  return { ...usage, ...Object.fromEntries(grown) };
}
