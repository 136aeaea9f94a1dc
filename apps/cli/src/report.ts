import { CliError, EXIT } from "./failure.ts";
import { note, paint } from "./output.ts";

/** Says on stderr what went wrong and what to do; answers the exit status. */
export function report(error: unknown): number {
  if (error instanceof CliError) {
    note(`${paint("red", "mayfly")}: ${error.message}`);
    if (error.hint) note(`  ${error.hint}`);
    return error.exit;
  }
  // commander has said what was wrong already.
  if (error instanceof Error && "code" in error && String(error.code).startsWith("commander."))
    return (error as { exitCode?: number }).exitCode === 0 ? EXIT.ok : EXIT.usage;
  note(`mayfly: ${error instanceof Error ? error.stack : String(error)}`);
  return EXIT.failed;
}
