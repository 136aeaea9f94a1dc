import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** The C of this package, built by its own script. */
export interface Native {
  readonly launcher: string;
  readonly addon: string;
  /** native/probe.c */
  readonly probe: string;
}

export function buildNative(dir: string, sanitize = false): Native {
  mkdirSync(dir, { recursive: true });
  const script = join(import.meta.dirname, "..", "..", "native", "build.sh");
  execFileSync("sh", [script, dir, ...(sanitize ? ["--sanitize"] : [])]);
  return { launcher: join(dir, "launcher"), addon: join(dir, "native.node"), probe: join(dir, "probe") };
}
