import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** The C of this package, built by its own script. */
export interface Native {
  readonly launcher: string;
  readonly addon: string;
  /** native/probe.c */
  readonly probe: string;
  /** A layer with the nursery's addon; its program is bundled by infra. */
  readonly nursery: string;
}

/** The environment of a Node that is to load addons built with sanitizers. It never frees all that it has: leaks are not looked for. */
export const sanitizing = (native: Native): Record<string, string> => ({
  LD_PRELOAD: join(native.nursery, "mayfly", "libasan.so"),
  ASAN_OPTIONS: "detect_leaks=0",
});

/** @param sanitize with AddressSanitizer and UBSan: what they find ends the process, and standard error says where it was */
export function buildNative(dir: string, sanitize = false): Native {
  mkdirSync(dir, { recursive: true });
  const script = join(import.meta.dirname, "..", "..", "native", "build.sh");
  execFileSync("sh", [script, dir, ...(sanitize ? ["--sanitize"] : [])]);
  return {
    launcher: join(dir, "launcher"),
    addon: join(dir, "native.node"),
    probe: join(dir, "probe"),
    nursery: join(dir, "nursery"),
  };
}
