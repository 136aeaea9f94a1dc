import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { NURSERY_ADDON, RUNNER_PATH } from "./index.ts";
import { live } from "./life.ts";
import { rehearse } from "./rehearse.ts";
import { rehearseCall } from "./rehearse-call.ts";

/**
 * The nursery: a Node that has booted and done all but the request, and then only forks (libs/container/native/nursery.c). What
 * follows `serve()` runs in a fork, in a box, without privileges.
 */
interface Addon {
  /** Blocks in the nursery; returns in each fork. */
  serve(): { readonly env: readonly string[]; readonly cwd: string; readonly pid: number; readonly seed: number };
  /** Two ends of a stream. */
  pair(): readonly [number, number];
  /** In a fork: from here on it is limited and metered. */
  join(): void;
  exit(code: number): never;
}

const ROUNDS = 40;
const addon = createRequire(import.meta.url)(NURSERY_ADDON) as Addon;

await rehearse(ROUNDS);
for (let round = 0; round < ROUNDS; round += 1) await rehearseCall(addon.pair(), `rehearsal-${round}`);
collectGarbage();
await quiet();

const tenancy = addon.serve();
becomeAProcessOfItsOwn();
// What a call will write to becomes this process' own before the meter runs, as booting is not metered either.
await rehearseCall(addon.pair(), "rehearsal");
addon.join();
await live({ announce: false });

/** What Node keeps of the process that booted and a fork must not have. */
function becomeAProcessOfItsOwn(): void {
  // Math.random() of this context draws its first numbers from this seed: nobody has called it before.
  setFlagsFromString(`--random-seed=${tenancy.seed}`);
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const entry of tenancy.env) {
    const at = entry.indexOf("=");
    process.env[entry.slice(0, at)] = entry.slice(at + 1);
  }
  const born = process.hrtime.bigint();
  const own = (name: string, value: unknown) =>
    Object.defineProperty(process, name, { value, writable: false, enumerable: true, configurable: true });
  own("pid", tenancy.pid);
  own("uptime", () => Number(process.hrtime.bigint() - born) / 1e9);
  process.argv[1] = RUNNER_PATH;
  process.chdir(tenancy.cwd); // It is there; this makes Node forget the folder that it remembered.
  (process as unknown as { reallyExit(code: number): never }).reallyExit = (code) => addon.exit(code ?? 0);
  // Nothing is left to wait for and no answer was given: Node says 13, and its own end would join threads that a fork does not have.
  process.on("beforeExit", () => process.exit(13));
}

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
