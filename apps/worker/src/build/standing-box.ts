import type { BoxRequest } from "@mayfly/build";
import type { Box, BoxSpec } from "@mayfly/container";
import { FIXED_LIMITS, type Frame, type RootFs } from "@mayfly/contract";
import { FrameChannel } from "@mayfly/queue";
import { FUNCTION_USER } from "@mayfly/runtime";
import type { WorkerDeps } from "../deps.ts";
import { started } from "../invoke/exchange.ts";
import { forkOrBoot } from "../nursery/fork-or-boot.ts";

/** A box of a build that stands and has been asked for nothing. */
export interface StandingBox {
  readonly box: Box;
  readonly channel: FrameChannel;
  /** What a program that starts ahead of its request has said; null: nothing. */
  readonly first: Frame | null;
  /** Its image is in use until then. */
  readonly release: () => void;
}

/** What is known of a box before anybody listens to it. */
export type Wish = Omit<BoxRequest, "onLog">;

/** What it takes to make one. */
export type BoxDeps = Pick<WorkerDeps, "boxes" | "inUse" | "nursery" | "roots" | "surroundings">;

/** Resolves when the box is there, and its program up where that is not the request's business. One that ended on the way tells so by its ending. */
export async function standingBox(id: string, wish: Wish, deps: BoxDeps): Promise<StandingBox> {
  const release = deps.inUse.hold(wish.image);
  try {
    const rootfs = wish.rootfs ?? (await deps.roots.of(wish.image));
    const nursery = wish.start === "fork" ? deps.nursery.forRoot(rootfs) : null;
    const box = await forkOrBoot((forks) => specOf(id, wish, rootfs, forks, deps), nursery, deps.boxes);
    const channel = new FrameChannel(box.channel!);
    const late = setTimeout(() => box.kill({ kind: "timeout" }), wish.timeout_ms);
    const first = await up(box, channel, wish.start);
    clearTimeout(late);
    return { box, channel, first, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Afterwards nothing of it is left. */
export async function discard({ box, channel, release }: StandingBox, reason: string): Promise<void> {
  channel.destroy();
  box.stdout.resume();
  box.stderr.resume();
  box.kill({ kind: "killed", reason });
  await box.remove();
  release();
}

async function up(box: Box, channel: FrameChannel, start: Wish["start"]): Promise<Frame | null> {
  if (start === "ahead") for await (const frame of channel.frames) return frame;
  if (start === "boot" || start === "fork") await started(box, channel);
  return null;
}

function specOf(id: string, wish: Wish, rootfs: RootFs, nursery: string | null, { surroundings }: BoxDeps): BoxSpec {
  const isOutside = wish.network === "egress";
  return {
    id,
    rootfs: isOutside && surroundings.layer ? { lower: [surroundings.layer, ...rootfs.lower] } : rootfs,
    mounts: [],
    args: wish.args,
    env: isOutside ? surroundings.around(wish.env) : wish.env,
    cwd: wish.cwd ?? "/tmp",
    user: FUNCTION_USER,
    hostname: "build",
    limits: { ...wish.limits, cpu_weight: 50, open_files: FIXED_LIMITS.open_files },
    profile: "function",
    nursery,
    meter: wish.start === "boot" || wish.start === "fork" ? "from_handover" : "from_exec",
    network: wish.network ?? "none",
    channel: true,
    stdin: false,
    terminal: false,
    writable: null,
    serve: null,
    idBase: null,
  };
}
