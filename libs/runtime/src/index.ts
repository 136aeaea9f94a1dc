/** What the host needs to know of the program in a code box. The program itself is runner.ts, bundled into the base image. */

export { BadResponse } from "./bad-response.ts";
export { lambdaAnswer, preludeHead } from "./lambda/answer.ts";
export { functionArn, lambdaEnvironment } from "./lambda/environment.ts";
export { lambdaEvent } from "./lambda/event.ts";
export { Wire } from "./wire.ts";

export const NODE_PATH = "/usr/local/bin/node";
export const RUNNER_PATH = "/mayfly/runner.mjs";
export const NURSERY_PATH = "/mayfly/nursery.mjs";
/** Not in the image: a layer that the host lays over it. */
export const NURSERY_ADDON = "/mayfly/nursery.node";
export const MODULE_PATH = "/app/index.mjs";
/** V8's code of that module, when its build found it worth keeping. */
export const COMPILED_PATH = "/app/.compiled";
/** A smaller module compiles about as fast as its code is read. */
export const COMPILED_FROM_BYTES = 64 * 1024;
/** The user in the base image that functions run as. */
export const FUNCTION_USER = { uid: 1000, gid: 1000, groups: [] as readonly number[] };

/**
 * How Node runs for a function, whether it is booted for it or forked.
 * - `--disable-sigusr1`: no inspector thread, no debugger by signal.
 * - `--max-semi-space-size=1`: the young generation starts and stays small; a call is short and memory is billed.
 * - `--single-threaded`: V8 posts no work to threads, which a fork does not have; a box has one core as a rule. Booted runtimes have it
 *   too: code that V8 cached for one kind is good for the other.
 * - `--no-flush-bytecode`: a collection keeps compiled functions; a fork would have to compile them again.
 * - `--no-memory-reducer`: V8 collects what it can a while after work has ended (--gc-memory-reducer-start-delay-ms). In a nursery that
 *   while never ends before it is sealed, so every fork of later would begin its life with that collection.
 * - `--disable-warning=ExperimentalWarning`: that a part of Node that we use is experimental is no news for a user's log.
 */
const FLAGS = [
  "--disable-sigusr1",
  "--max-semi-space-size=1",
  "--single-threaded",
  "--no-flush-bytecode",
  "--no-memory-reducer",
  "--disable-warning=ExperimentalWarning",
] as const;

/** The command line of a box whose runtime is booted in it. */
export const runnerCommand = (): string[] => [NODE_PATH, ...FLAGS, RUNNER_PATH];

/** As above, for a box whose compiled code is kept: with one seed for all, V8 writes the same bytes for the same module. */
export const compilerCommand = (): string[] => [NODE_PATH, ...FLAGS, "--random-seed=1", RUNNER_PATH];

/**
 * The environment of a nursery; its forks get their own.
 * - `LD_PRELOAD`: puts V8's heap in one place, where huge pages hold it (libs/container/native/arena.c).
 * - `LD_BIND_NOW`: functions are looked up once, not in each fork that calls them first.
 */
export const NURSERY_ENV = [
  "PATH=/usr/local/bin:/usr/bin:/bin",
  "HOME=/tmp",
  "LANG=C.UTF-8",
  "LD_PRELOAD=/mayfly/arena.so",
  "LD_BIND_NOW=1",
] as const;

/** The command line of a nursery. */
export const nurseryCommand = (): string[] => [NODE_PATH, ...FLAGS, "--v8-pool-size=0", NURSERY_PATH];
