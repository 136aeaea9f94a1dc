import { FRAME } from "@mayfly/contract";
import { Life } from "./life.ts";
import { mapStacks } from "./stacks.ts";
import { Wire } from "./wire.ts";

const CHANNEL = 3;
// Before user code can replace it.
const { exit } = process;

/** The program in a code box, whether it was booted there or forked. `announce`: says first that it is up, for a worker that moves it to its cgroup then. */
export async function live({ announce }: { readonly announce: boolean }): Promise<void> {
  mapStacks();
  const wire = new Wire(CHANNEL);
  if (announce) await wire.json(FRAME.RECORD, { booted: true });
  await new Life({
    wire,
    exit,
    guard: (fail) => {
      process.on("uncaughtException", fail);
      process.on("unhandledRejection", fail);
    },
  }).live();
}
