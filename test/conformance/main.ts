import { spawn } from "node:child_process";
import { join } from "node:path";
import { buildNative } from "../../infra/src/prepare/native.ts";
import { HELP, parseCommandLine } from "./command-line.ts";

/** `npm run conformance`, under Node 24. All of it is in a mount namespace of its own: what engines mount goes with it. */
try {
  if (parseCommandLine(process.argv.slice(2)) === null) process.stdout.write(HELP);
  else await run();
} catch (error) {
  process.stderr.write(`conformance: ${(error as Error).message}; --help lists what there is\n`);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  await buildNative((text) => process.stderr.write(`setup  ${text}\n`));
  const program = [process.execPath, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "run.ts")];
  const child = spawn("unshare", ["--mount", "--propagation", "private", ...program, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // Ctrl-C reaches the whole group; a signal to us alone is passed on. Who cleans up is the child.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
