import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { KEY } from "./system.ts";

export const MAYFLY = resolve(import.meta.dirname, "../../bin/mayfly");

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program that a person types, with the suite's key. */
export function runMayfly(
  args: readonly string[],
  options: { readonly cwd: string; readonly input?: string | Uint8Array; readonly env: Record<string, string> },
): Promise<Ran> {
  const child = spawn(MAYFLY, args, {
    cwd: options.cwd,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, MAYFLY_KEY: KEY, ...options.env },
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolved) => child.once("close", (code) => resolved({ code: code ?? -1, stdout, stderr })));
}
