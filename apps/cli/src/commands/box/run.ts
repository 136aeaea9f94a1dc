import type { BoxView } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { CliError } from "../../failure.ts";
import { note, out } from "../../output.ts";
import { withJson } from "../image/path.ts";
import { pull } from "../image/registries.ts";
import { attach } from "./attach.ts";
import { type RunFlags, wantedOf } from "./wanted.ts";

/** Of a box that could not even be tried, as Docker has it. */
const NOT_MADE = 125;

/** Nothing else that a new box names is looked for. */
const isNoImage = (error: unknown): boolean => error instanceof CliError && error.problem?.code === "not_found";

/** A box of an image, in the foreground unless it is detached: what its program exits with, we exit with. */
export async function run(client: Client, image: string, command: readonly string[], flags: RunFlags): Promise<void> {
  try {
    if (flags.tty && flags.interactive && !flags.detach && !process.stdin.isTTY)
      throw new CliError("-t with -i needs a terminal here", { exit: NOT_MADE, hint: "leave -t out for a pipe" });
    const wanted = wantedOf(image, command, flags, process.cwd());
    const { pull: when = "missing" } = flags;
    const fetched = async () => (await pull(client, image, {})).reference;
    const make = (name: string) =>
      client.json<BoxView>("/v1/boxes", withJson("POST", { ...wanted, image: name, start: flags.detach === true }));
    const box = await make(when === "always" ? await fetched() : image).catch(async (error: unknown) => {
      if (when !== "missing" || !isNoImage(error)) throw error;
      note(`${image} is not here`);
      return make(await fetched());
    });
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
