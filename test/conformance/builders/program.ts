import { spawn } from "node:child_process";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  /** Both streams, as they came. */
  readonly said: string;
}

/** Runs a program to its end. @throws Error when it cannot be started */
export function ran(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let [stdout, said] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
    said += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => (said += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, said }));
  });
}

/** The same, for what must succeed. @returns what it wrote to stdout @throws Error with what it said */
export async function must(
  file: string,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, stdout, said } = await ran(file, args, env);
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code}: ${said.slice(-2000)}`);
  return stdout;
}
