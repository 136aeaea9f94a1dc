import { Command } from "commander";
import { addDockersFlags } from "./build/dockers.ts";
import { Client } from "./client.ts";
import { bill, bills } from "./commands/bills.ts";
import { commandApart } from "./commands/box/command-apart.ts";
import { addBoxCommands } from "./commands/box/program.ts";
import { prune } from "./commands/builder.ts";
import { deploy, SETTINGS } from "./commands/deploy.ts";
import { inspect, ls, rm, rollback, versions } from "./commands/functions.ts";
import { addImageCommands } from "./commands/image/program.ts";
import { invoke } from "./commands/invoke.ts";
import { logs } from "./commands/logs.ts";
import { completion } from "./completion.ts";
import { connection } from "./connection.ts";
import { collect } from "./flags/pair.ts";
import { HELP_AFTER, HELP_BEFORE, VERSION } from "./help.ts";
import { out } from "./output.ts";
import { PROGRESS } from "./progress/progress.ts";
import { report } from "./report.ts";

const program = new Command("mayfly")
  .description("Deploy functions, call them, read the bill of every call.")
  .version(VERSION)
  .option("--server <url>", "server to talk to")
  .option("--key <key>", "key to use")
  .addHelpText("before", HELP_BEFORE)
  .addHelpText("after", HELP_AFTER)
  .showSuggestionAfterError()
  .exitOverride();
const client = () => new Client(connection(program.opts(), process.env));
const command = (usage: string, description: string) => program.command(usage).description(description);

const deploying = command(
  "deploy [path]",
  "deploy a module, a folder, an archive, an address or a repository, or - for standard input",
);
deploying.option("--name <name>", "name of the function (default: from the path)");
for (const [name, value, description] of SETTINGS) deploying.option(`--${name} ${value}`, description);
deploying
  .option("--env <NAME=value>", "environment, repeatable", collect)
  .option("--label <name=value>", "label, repeatable", collect)
  .option("--build-arg <name=value>", "value of an ARG of the Dockerfile, repeatable", collect)
  .option("--with-node-modules", "send node_modules, too")
  .option("--progress <kind>", `how the build is shown: ${PROGRESS.join(", ")} (default auto)`)
  .option("--json", "records as JSON: the last on stdout, the others on stderr")
  .action((path: string | undefined, flags) => deploy(client(), path ?? ".", flags));
const building = command(
  "build <path|url|->",
  "build an image: a folder, a git repository, an address, or a Dockerfile or tar on -",
)
  .option("-t, --tag <name:tag>", "name for the image, repeatable", collect)
  .option("-f, --file <path>", "the Dockerfile (default: Dockerfile in the folder), or - for standard input")
  .option("--target <stage>", "stage of the Dockerfile, when it is not the last")
  .option("--build-arg <name[=value]>", "value of an ARG, repeatable; without one, that of the environment", collect)
  .option("--label <name=value>", "label of the image, repeatable", collect)
  .option("--no-cache", "use nothing that was made before")
  .option("--pull", "ask the registry for the images it goes on from, though they are here")
  .option("--platform <os/arch>", "what the image is for: the server's own platform, as linux/amd64")
  .option("--network <mode>", "of RUN: default, or none")
  .option("--add-host <name:ip>", "a name that RUN's /etc/hosts has, repeatable", collect)
  .option("--secret <id=ID[,src=file|,env=NAME]>", "for RUN --mount=type=secret, repeatable", collect)
  .option("--progress <kind>", `${PROGRESS.join(", ")} (default auto)`)
  .option("-q, --quiet", "the digest and failures alone")
  .option("--iidfile <file>", "write the image's digest there")
  .option("--metadata-file <file>", "write the digest, the names and the build there, as JSON")
  .action(async (where: string, flags) => {
    // The patterns of .dockerignore and what they bring along are of no use to other commands.
    const { build } = await import("./commands/build.ts");
    await build(client(), where, flags);
  });
addDockersFlags(building);
command("invoke <name>", "call a function; its answer on stdout")
  .option("-d, --data <data>", "body: text, @file, or - for standard input")
  .option("-H, --header <header>", "header, repeatable", collect)
  .option("-X, --request <method>", "method (default GET, POST with a body)")
  .option("-p, --path <path>", "path and query behind the function's URL")
  .option("--bill", "show the bill on stderr")
  .option("--fail", "exit 1 for any status of 400 and above")
  .option("--json", "status, headers, body and, with --bill, the record as JSON")
  .action((name: string, flags) => invoke(client(), name, flags));
command("logs <name|invocation|box>", "log of a call, of the latest call of a function, or of a box")
  .option("-f, --follow", "of a box: go on until it has ended")
  .option("--json", "a JSON record for each line")
  .action((what: string, flags) => logs(client(), what, flags));
command("bill <name|invocation>", "the bill of a call, or of the latest call of a function")
  .option("--json", "the record as JSON")
  .action((what: string, flags) => bill(client(), what, flags));
command("bills", "bills, newest first, or sums of them")
  .option("--function <name>", "of one function")
  .option("--since <time>", "of calls that ended at or after this time, or 24h ago")
  .option("--until <time>", "of calls that ended before this time")
  .option("--limit <n>", "at most so many (default 100)")
  .option("--by <what>", "sums by function or day")
  .option("--format <format>", "table, json, ndjson or csv")
  .option("--json", "as JSON")
  .action((flags) => bills(client(), flags));
command("ls", "functions")
  .option("--json", "as JSON")
  .action((flags) => ls(client(), flags));
command("inspect <name>", "a function, NAME@VERSION, an invocation, a build or a box, as JSON")
  .option("--json", "as JSON (it always is)")
  .action((what: string) => inspect(client(), what));
command("versions <name>", "versions of a function")
  .option("--json", "as JSON")
  .action((name: string, flags) => versions(client(), name, flags));
command("rollback <name> [version]", "make the version before live again, or the one that is named")
  .option("--json", "as JSON")
  .action((name: string, version: string | undefined, flags) => rollback(client(), name, version, flags));
command("rm <names...>", "remove functions, whose bills stay, and boxes, with what they wrote")
  .option("-f, --force", "boxes that run, too")
  .option("--json", "as JSON")
  .action((names: string[], flags) => rm(client(), names, flags));
addBoxCommands(program, client);
addImageCommands(program, client);
command("completion <shell>", "a script for bash or zsh: source <(mayfly completion bash)").action((shell: string) =>
  out(completion(program, shell)),
);
program
  .command("builder")
  .description("what builds remember")
  .command("prune")
  .description("forget steps and cache folders of builds")
  .option("--unused-for <time>", "only what was not used for so long, as 24h")
  .option("--json", "as JSON")
  .action((flags) => prune(client(), flags));
command("doctor", "check whether this host can run Mayfly")
  .option("--json", "as JSON")
  .action(async (flags) => {
    // It brings half of the server with it, which no other command needs.
    const { doctor } = await import("./commands/doctor.ts");
    await doctor(flags, process.env);
  });

process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
// Who reads us has seen enough (`mayfly logs hello | head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
try {
  await program.parseAsync(commandApart(process.argv, program));
} catch (error) {
  process.exitCode = report(error);
}
