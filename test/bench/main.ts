import { spawn } from "node:child_process";
import { join } from "node:path";
import { bundlePrograms } from "../../infra/src/prepare/bundles.ts";
import { buildNative } from "../../infra/src/prepare/native.ts";
import { ensureSystemUser } from "../../infra/src/prepare/system-user.ts";
import { helpText, parseCommandLine } from "./command-line.ts";

/**
 * `npm run bench`, under Node 24. The benches run in a mount namespace of their own: what is mounted for the peers goes with it, and the
 * machine's own mounts stay as they are.
 */
const line = parseCommandLine(process.argv.slice(2));
if (line.kind === "help") {
  process.stdout.write(helpText());
} else if (line.kind === "wrong") {
  process.stderr.write(`bench: ${line.message}\n`);
  process.exitCode = 2;
} else {
  const say = (text: string) => process.stderr.write(`setup  ${text}\n`);
  ensureSystemUser(say);
  await buildNative(say);
  await bundlePrograms(say);
  const run = [process.execPath, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "run.ts")];
  const child = spawn("unshare", ["--mount", "--propagation", "private", ...run, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // Ctrl-C reaches the whole group; a signal to us alone is passed on. Who cleans up is the child.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    process.stderr.write(`bench: unshare (package util-linux): ${error.message}\n`);
    process.exitCode = 1;
  });
  child.once("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
