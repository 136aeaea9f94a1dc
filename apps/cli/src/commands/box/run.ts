import type { BoxView } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { CliError } from "../../failure.ts";
import { note, out } from "../../output.ts";
import { withJson } from "../image/path.ts";
import { attach } from "./attach.ts";
import { type RunFlags, wantedOf } from "./wanted.ts";

/** Of a box that could not even be tried, as Docker has it. */
const NOT_MADE = 125;

/** A box of an image, in the foreground unless it is detached: what its program exits with, we exit with. */
export async function run(client: Client, image: string, command: readonly string[], flags: RunFlags): Promise<void> {
  try {
    if (flags.tty && flags.interactive && !flags.detach && !process.stdin.isTTY)
      throw new CliError("-t with -i needs a terminal here", { exit: NOT_MADE, hint: "leave -t out for a pipe" });
    const wanted = wantedOf(image, command, flags, process.cwd());
    const box = await client.json<BoxView>("/v1/boxes", withJson("POST", { ...wanted, start: flags.detach === true }));
    if (flags.detach) return out(box.id);
    const { exit_code, ended } = await attach(client, box.id, {
      start: true,
      stdin: flags.interactive === true,
      terminal: flags.tty === true,
    });
    if (exit_code !== 0 && !/^exited/.test(ended)) note(`mayfly: the box ${ended}`);
    process.exitCode = exit_code;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(error.message, { exit: NOT_MADE, hint: error.hint, problem: error.problem });
  }
}
