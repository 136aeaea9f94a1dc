import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { become, type Tenancy } from "./become.ts";
import { NURSERY_ADDON } from "./index.ts";
import { live } from "./live.ts";
import { rehearse } from "./rehearse.ts";
import { rehearseCall } from "./rehearse-call.ts";

/**
 * The nursery: a Node that has booted and done all but the request, and then only forks (libs/container/native/nursery.c). What
 * follows `serve()` runs in a fork, in a box, without privileges.
 */
interface Addon {
  /** Blocks in the nursery; returns in each fork. A trial is a fork in no box. */
  serve(): Tenancy & { readonly trial: boolean };
  /** Ends a trial: later forks start with the memory that it took. */
  tried(): never;
  /** Two ends of a stream. */
  pair(): readonly [number, number];
  /** In a fork: from here on it is limited and metered. */
  join(): void;
  exit(code: number): never;
}

const ROUNDS = 40;
const addon = createRequire(import.meta.url)(NURSERY_ADDON) as Addon;

await rehearse(ROUNDS);
for (let round = 0; round < ROUNDS; round += 1) {
  become({ env: ["HOME=/tmp"], cwd: "/", pid: process.pid, seed: 1 });
  await rehearseCall(addon.pair(), `rehearsal-${round}`, round % 2 === 0 ? "GET" : "POST");
}
collectGarbage();
await quiet();

const tenancy = addon.serve();
become(tenancy);
if (tenancy.trial) {
  await rehearseCall(addon.pair(), "trial", "GET");
  addon.tried();
}
// Node's own end would join threads that a fork does not have.
(process as unknown as { reallyExit(code: number): never }).reallyExit = (code) => addon.exit(code ?? 0);
// Nothing is left to wait for and no answer was given: Node says 13.
process.on("beforeExit", () => process.exit(13));
addon.join();
await live({ announce: false });

/**
 * Waits until nothing is open any more: what is would be open in every fork. Standard output and error may be (Node opens them with
 * `Request`): a fork has its own behind the same numbers. That no other descriptor is open the addon checks.
 */
async function quiet(): Promise<void> {
  let left: string[] = [];
  for (let turn = 0; turn < 1000; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    left = process.getActiveResourcesInfo().filter((kind) => kind !== "Immediate");
    if (left.every((kind) => kind === "PipeWrap") && left.length <= 2) return;
  }
  throw new Error(`the nursery cannot be sealed: ${left.join(", ")} still active`);
}

/** A small heap: what a fork does not have to copy. The function is taken from another context, so that user code has none. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  for (let round = 0; round < 3; round += 1) collect();
}
