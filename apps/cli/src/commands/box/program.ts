import { type Command, Option } from "commander";
import type { Client } from "../../client.ts";
import { collect } from "../../flags/pair.ts";
import { commit, diff, exportBox } from "./files.ts";
import { order, start, wait } from "./lifecycle.ts";
import { ps } from "./list.ts";
import { run } from "./run.ts";

/** Kept boxes, by Docker's words. `logs`, `inspect` and `rm` are functions' commands as well: they stand with those. */
export function addBoxCommands(program: Command, client: () => Client): void {
  const command = (usage: string, description: string) => program.command(usage).description(description);
  command("run <image> [command...]", "run a program in a box of an image; the box is kept until it is removed")
    .option("-i, --interactive", "our standard input is the program's")
    .option("-t, --tty", "the program has a terminal")
    .option("-d, --detach", "do not wait; the box's id on stdout")
    .option("--rm", "remove the box when it has ended")
    .option("--name <name>", "a name beside its id")
    .option("-v, --volume <host:box[:ro][,idmap]>", "show a file or folder of the server's host, repeatable", collect)
    .option("-e, --env <NAME[=value]>", "environment, repeatable", collect)
    .option("-w, --workdir <path>", "working folder (default: the image's)")
    .option("-u, --user <user[:group]>", "who the program is (default: the image's)")
    .option("-h, --hostname <name>", "name of the host in the box (default: of its id)")
    .option("--entrypoint <program>", "in place of the image's; empty for none")
    .option("--network <kind>", "none or egress (default none)")
    .option("-m, --memory <size>", "default 512MiB")
    .option("--cpus <n>", "CPUs (default 1)")
    .option("--pids-limit <n>", "processes and threads (default 512)")
    .option("--disk <size>", "what it may write (default 10GiB)")
    .addOption(
      new Option("--pull <when>", "fetch the image first: missing (default), always, never").choices([
        "missing",
        "always",
        "never",
      ]),
    )
    .helpOption("--help", "display help for command")
    .action((image: string, words: string[], flags) => run(client(), image, words, flags));
  command("ps", "boxes that run")
    .option("-a, --all", "and those that do not")
    .option("--json", "as JSON")
    .action((flags) => ps(client(), flags));
  command("start <boxes...>", "run boxes that have ended again, on what they wrote")
    .option("-a, --attach", "show what it writes, and exit as it does")
    .option("-i, --interactive", "the same, and our standard input is the program's")
    .option("--json", "as JSON")
    .action((boxes: string[], flags) => start(client(), boxes, flags));
  command("stop <boxes...>", "ask boxes to end, and end them when they do not")
    .option("-t, --time <seconds>", "patience (default 10)", Number)
    .option("--json", "as JSON")
    .action((boxes: string[], flags) =>
      order(client(), "stop", boxes, flags.time === undefined ? {} : { timeout_s: flags.time }, flags),
    );
  command("kill <boxes...>", "end boxes at once, or send their programs a signal")
    .option("-s, --signal <signal>", "default SIGKILL")
    .option("--json", "as JSON")
    .action((boxes: string[], flags) =>
      order(client(), "kill", boxes, flags.signal === undefined ? {} : { signal: flags.signal }, flags),
    );
  for (const [verb, description] of [
    ["pause", "hold boxes where they are"],
    ["unpause", "let boxes go on"],
  ] as const)
    command(`${verb} <boxes...>`, description)
      .option("--json", "as JSON")
      .action((boxes: string[], flags) => order(client(), verb, boxes, {}, flags));
  command("wait <boxes...>", "wait until boxes have ended; their exit statuses on stdout")
    .option("--json", "as JSON")
    .action((boxes: string[], flags) => wait(client(), boxes, flags));
  command("diff <box>", "what a box changed of its image: A added, C changed, D deleted")
    .option("--json", "as JSON")
    .action((box: string, flags) => diff(client(), box, flags));
  command("commit <box> [name]", "make an image of a box's image and what the box wrote; its digest on stdout")
    .option("-a, --author <author>", "who made it")
    .option("-m, --message <text>", "for the history")
    .option("-c, --change <instruction>", "Dockerfile instruction, repeatable", collect)
    .option("-p, --pause [yes]", "hold the box meanwhile (default; --pause=false does not)")
    .option("--no-pause", "do not hold it")
    .option("--json", "as JSON")
    .action((box: string, name: string | undefined, flags) => commit(client(), box, name, flags));
  command("export <box>", "the root file system of a box in one tar")
    .option("-o, --output <file>", "where to (default: standard output)")
    .action((box: string, flags) => exportBox(client(), box, flags));
}
