import type { BoxSession, OpenBox } from "@mayfly/build";
import { FIXED_LIMITS } from "@mayfly/contract";
import { FrameChannel } from "@mayfly/queue";
import { FUNCTION_USER } from "@mayfly/runtime";
import type { WorkerDeps } from "../deps.ts";
import { tellLines } from "./log-lines.ts";

/**
 * Lends boxes to the builder: libs/build knows frames and images, libs/container knows boxes, and here they meet.
 * `id` names the build; each box of it gets a cgroup of its own below that name.
 */
export function boxLender(id: string, deps: WorkerDeps, signal: AbortSignal): OpenBox {
  let opened = 0;
  return async (request): Promise<BoxSession> => {
    opened += 1;
    const began = deps.clock.monotonicUs();
    const release = deps.inUse.hold(request.image);
    const isOutside = request.network === "egress";
    const { surroundings } = deps;
    const starting = deps.roots.of(request.image).then((rootfs) =>
      deps.boxes.start({
        id: `${id}-${opened}`,
        rootfs: isOutside && surroundings.layer ? { lower: [surroundings.layer, ...rootfs.lower] } : rootfs,
        mounts: [],
        args: request.args,
        env: isOutside ? surroundings.around(request.env) : request.env,
        cwd: "/tmp",
        user: FUNCTION_USER,
        hostname: "build",
        limits: { ...request.limits, cpu_weight: 50, open_files: FIXED_LIMITS.open_files },
        profile: "function",
        nursery: null,
        meter: "from_exec",
        network: request.network ?? "none",
        channel: true,
        stdin: false,
        terminal: false,
        writable: null,
        serve: null,
        idBase: null,
      }),
    );
    starting.catch(release);
    const box = await starting;
    const told = tellLines(box, request.onLog);
    const channel = new FrameChannel(box.channel!);
    const stop = (reason: string) => box.kill({ kind: "killed", reason });
    const onAbort = () => stop("the build was cancelled");
    signal.addEventListener("abort", onAbort, { once: true });
    const deadline = setTimeout(() => box.kill({ kind: "timeout" }), request.timeout_ms);
    const ended = box.ended.then(async (ending) => {
      clearTimeout(deadline);
      signal.removeEventListener("abort", onAbort);
      const wall_us = deps.clock.monotonicUs() - began;
      const usage = await box.remove();
      await told;
      release();
      return { ending, usage, wall_us };
    });
    return { send: (frame) => channel.sendRaw(frame), frames: channel.frames, stop, ended };
  };
}
