import { Command } from "commander";
import { CliError, Client, connection, EXIT } from "./client.ts";
import { bill, bills } from "./commands/bills.ts";
import { deploy } from "./commands/deploy.ts";
import { doctor } from "./commands/doctor.ts";
import { inspect, logs, ls, rm, rollback, versions } from "./commands/functions.ts";
import { invoke } from "./commands/invoke.ts";
import { note, paint } from "./output.ts";

const EXITS = `
Exit status
  0 done   1 the function or the server said no   2 usage   69 no server   75 try again later   77 key   78 this host   124 timeout   130 Ctrl-C

Environment
  MAYFLY_URL   server (default http://127.0.0.1:8080)     MAYFLY_KEY   key (default: $MAYFLY_HOME/key on this host)
`;
const collect = (value: string, all: string[] = []) => [...all, value];

const program = new Command("mayfly")
  .description("Deploy functions, call them, read the bill of every call.")
  .option("--server <url>", "server to talk to")
  .option("--key <key>", "key to use")
  .addHelpText(
    "before",
    "Examples\n  mayfly deploy hello.ts\n  mayfly invoke hello -d '{\"a\":1}' --bill\n  mayfly bill inv_…\n",
  )
  .addHelpText("after", EXITS)
  .showSuggestionAfterError()
  .exitOverride();
const client = () => new Client(connection(program.opts(), process.env));

program
  .command("deploy [path]")
  .description("deploy a module, a folder, an archive, or - for standard input; the URL alone on stdout")
  .option("--name <name>", "name of the function (default: from the path)")
  .option("--memory <size>", "memory, like 128MiB")
  .option("--cpu <cores>", "cores, like 0.5")
  .option("--timeout <time>", "deadline, like 30s")
  .option("--tmp <size>", "writable bytes, like 64MiB")
  .option("--pids <n>", "processes and threads")
  .option("--concurrency <n>", "calls at once")
  .option("--access <who>", "public or key")
  .option("--network <kind>", "none")
  .option("--entry <path>", "entry module of a project")
  .option("--env <NAME=value>", "environment, repeatable", collect)
  .option("--label <name=value>", "label, repeatable", collect)
  .option("--json", "records as JSON")
  .action((path: string | undefined, flags) => deploy(client(), path ?? ".", flags));
program
  .command("invoke <name>")
  .description("call a function; its answer on stdout")
  .option("-d, --data <data>", "body: text, @file, or - for standard input")
  .option("-H, --header <header>", "header, repeatable", collect)
  .option("-X, --request <method>", "method (default GET, POST with a body)")
  .option("-p, --path <path>", "path and query behind the function's URL")
  .option("--bill", "show the bill on stderr")
  .option("--fail", "exit 1 for any status of 400 and above")
  .action((name: string, flags) => invoke(client(), name, flags));
program
  .command("logs <name|invocation>")
  .description("log of a call, or of the latest call of a function")
  .action((what: string) => logs(client(), what));
program
  .command("bill <invocation>")
  .description("the bill of one call")
  .option("--json", "the record as JSON")
  .action((id: string, flags) => bill(client(), id, flags));
program
  .command("bills")
  .description("bills, newest first, or sums of them")
  .option("--function <name>", "of one function")
  .option("--from <time>", "from this time on")
  .option("--to <time>", "before this time")
  .option("--limit <n>", "at most so many")
  .option("--by <what>", "sums by function or day")
  .option("--format <format>", "table, json, ndjson or csv")
  .option("--json", "as JSON")
  .action((flags) => bills(client(), flags));
program
  .command("ls")
  .description("functions")
  .option("--json", "as JSON")
  .action((flags) => ls(client(), flags));
program
  .command("inspect <name>")
  .description("a function, NAME@VERSION, an invocation or a build, as JSON")
  .option("--json", "as JSON (it always is)")
  .action((what: string) => inspect(client(), what));
program
  .command("versions <name>")
  .description("versions of a function")
  .option("--json", "as JSON")
  .action((name: string, flags) => versions(client(), name, flags));
program
  .command("rollback <name> [version]")
  .description("make the version before live again, or the one that is named")
  .action((name: string, version?: string) => rollback(client(), name, version));
program
  .command("rm <names...>")
  .description("remove functions; their bills stay")
  .action((names: string[]) => rm(client(), names));
program
  .command("doctor")
  .description("check whether this host can run Mayfly")
  .option("--json", "as JSON")
  .action((flags) => doctor(flags, process.env));

process.once("SIGINT", () => process.exit(130));
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CliError) {
    note(`${paint("red", "mayfly")}: ${error.message}`);
    if (error.hint) note(`  ${error.hint}`);
    return error.exit;
  }
  // commander has said what was wrong already.
  if (error instanceof Error && "code" in error && String(error.code).startsWith("commander."))
    return (error as { exitCode?: number }).exitCode === 0 ? 0 : EXIT.usage;
  note(`mayfly: ${error instanceof Error ? error.stack : String(error)}`);
  return EXIT.failed;
}
