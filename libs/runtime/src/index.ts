/** What the host needs to know of the program in a code box. The program itself is runner.ts, bundled into the base image. */

export { Wire } from "./wire.ts";

export const NODE_PATH = "/usr/local/bin/node";
export const RUNNER_PATH = "/mayfly/runner.mjs";
export const MODULE_PATH = "/app/index.mjs";
/** The user in the base image that functions run as. */
export const FUNCTION_USER = { uid: 1000, gid: 1000, groups: [] as readonly number[] };

/**
 * Node's command line for a function.
 * - `--disable-sigusr1`: no inspector thread, no debugger by signal.
 * - `--max-semi-space-size=1`: the young generation starts and stays small; a call is short and memory is billed.
 * - `--disable-warning=ExperimentalWarning`: our own use of source map support is no news for a user's log.
 */
export function runnerCommand(): string[] {
  return [
    NODE_PATH,
    "--disable-sigusr1",
    "--max-semi-space-size=1",
    "--disable-warning=ExperimentalWarning",
    RUNNER_PATH,
  ];
}
