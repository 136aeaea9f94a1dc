import type { Box, BoxUsage } from "@mayfly/container";
import { CGROUP_COUNTERS, type Ending, isModule } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { forkOrBoot } from "../nursery/fork-or-boot.ts";
import { functionBox, type Wanted } from "./box-spec.ts";

/** What is left of a box that could not even be tried: an ending, and nothing counted. */
export type Unmade = Pick<Box, "ended" | "remove">;

export const isMade = (box: Box | Unmade): box is Box => "channel" in box;

/** A box for the call. What goes wrong on the way is an ending of ours, so that the call gets its record in any case. */
export async function makeBox(wanted: Wanted, deps: WorkerDeps): Promise<Box | Unmade> {
  try {
    const { image, contract } = wanted.version;
    const [rootfs, program] = await Promise.all([deps.roots.of(image), deps.programs.of(image)]);
    const nursery = isModule(contract) ? deps.nursery.forRoot(rootfs) : null;
    return await forkOrBoot((forks) => functionBox(wanted, rootfs, program, forks), nursery, deps.boxes);
  } catch (error) {
    deps.log.error({ err: error, box: wanted.id }, "a box could not be made");
    const message = error instanceof Error ? error.message : String(error);
    const ending: Ending = { kind: "refused", step: "prepare", errno: "EIO", message, remedy: null };
    return { ended: Promise.resolve(ending), remove: async () => nothingCounted() };
  }
}

/** There was no cgroup: every counter is missing, none is zero. */
export function nothingCounted(): BoxUsage {
  const names = [...CGROUP_COUNTERS, "net_rx_bytes", "net_tx_bytes"];
  return Object.fromEntries(names.map((name) => [name, null])) as unknown as BoxUsage;
}
