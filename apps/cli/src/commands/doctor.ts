import { runHostChecks } from "@mayfly/infra";
import { CliError, EXIT } from "../failure.ts";
import { json, out, paint } from "../output.ts";

/** Whether this host can run Mayfly, and what to do where it cannot. */
export async function doctor(flags: { json?: boolean }, env: NodeJS.ProcessEnv): Promise<void> {
  const checks = await runHostChecks(env.MAYFLY_HOME ?? "/var/lib/mayfly");
  if (flags.json) json(checks);
  else {
    for (const { name, ok, level, found, remedy } of checks) {
      const mark = ok
        ? paint("green", "✓", process.stdout)
        : level === "required"
          ? paint("red", "✗", process.stdout)
          : "!";
      out(`${mark} ${name.padEnd(20)} ${found}${ok || !remedy ? "" : `\n  → ${remedy}`}`);
    }
  }
  const failed = checks.filter((check) => !check.ok && check.level === "required");
  if (failed.length > 0)
    throw new CliError(`${failed.length} of ${checks.length} checks failed`, { exit: EXIT.config });
}
