import { spawn } from "node:child_process";

/** A program to be started from Node, as anybody would who serves requests by starting programs. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

export interface RunCommand {
  /** From the start to the first byte of its standard output; to its end when it says nothing. */
  readonly firstByte_ms: number;
  readonly end_ms: number;
}

/** @throws Error when it does not end with 0, with what it said to standard error */
export async function runCommand({ file, args, cwd }: Command): Promise<RunCommand> {
  const began = performance.now();
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], cwd });
  let firstByte_ms: number | undefined;
  child.stdout.on("data", () => {
    firstByte_ms ??= performance.now() - began;
  });
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += chunk));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve(status ?? signal ?? "?"));
  });
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code}: ${errors.trim()}`);
  const end_ms = performance.now() - began;
  return { firstByte_ms: firstByte_ms ?? end_ms, end_ms };
}
