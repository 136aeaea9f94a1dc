import type { Box, BoxHost, BoxSpec } from "@mayfly/container";

/** A box whose runtime the nursery forks (null: there is none), or boots in it when the nursery cannot. */
export async function forkOrBoot(
  specOf: (nursery: string | null) => BoxSpec,
  nursery: string | null,
  boxes: Pick<BoxHost, "start">,
): Promise<Box> {
  if (nursery !== null) {
    const box = await boxes.start(specOf(nursery));
    if (!(await turnedAway(box))) return box;
  }
  return boxes.start(specOf(null));
}

/** True when the nursery could not fork: nothing of the box's work has run, so it may run otherwise. */
async function turnedAway(box: Box): Promise<boolean> {
  if (box.pid !== 0) return false;
  const ending = await box.ended;
  if (ending.kind !== "refused" || !ending.step.includes("nursery")) return false;
  await box.remove();
  return true;
}
