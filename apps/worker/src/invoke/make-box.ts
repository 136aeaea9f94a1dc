import type { Box } from "@mayfly/container";
import { CGROUP_COUNTERS, type CgroupUsage, type Ending, type InvokeJob } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { functionBox } from "./box-spec.ts";

/** What is left of a box that could not even be tried: an ending, and nothing counted. */
export type Unmade = Pick<Box, "ended" | "remove">;

export const isMade = (box: Box | Unmade): box is Box => "channel" in box;

/** A box for the call. What goes wrong on the way is an ending of ours, so that the call gets its record in any case. */
export async function makeBox(job: InvokeJob, deps: WorkerDeps): Promise<Box | Unmade> {
  try {
    return await deps.boxes.start(functionBox(job, await deps.rootfs(job.version.image)));
  } catch (error) {
    deps.log.error({ err: error, invocation: job.invocation }, "a box could not be made");
    const message = error instanceof Error ? error.message : String(error);
    const ending: Ending = { kind: "refused", step: "prepare", errno: "EIO", message, remedy: null };
    return { ended: Promise.resolve(ending), remove: async () => nothingCounted() };
  }
}

/** There was no cgroup: every counter is missing, none is zero. */
export function nothingCounted(): CgroupUsage {
  return Object.fromEntries(CGROUP_COUNTERS.map((name) => [name, null])) as unknown as CgroupUsage;
}
