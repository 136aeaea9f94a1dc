import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "./command.ts";
import type { Limits } from "./limits.ts";

export interface OciOptions {
  readonly dir: string;
  readonly root: string;
  readonly args: readonly string[];
  readonly limits: Limits;
  /** Parent of their groups, below `mayfly`. */
  readonly cgroup: string;
  /** How many may run at the same time. */
  readonly slots: number;
  readonly after: AsyncDisposableStack;
}

/** An OCI runtime with its own default spec and our limits: for each slot the command that runs a fresh container. */
export function ociRuntime(runtime: "runc" | "crun", options: OciOptions): Command[] {
  const dir = join(options.dir, runtime);
  mkdirSync(dir, { recursive: true });
  execFileSync(runtime, ["spec"], { cwd: dir });
  const spec = JSON.parse(readFileSync(join(dir, "config.json"), "utf8"));
  spec.process = { ...spec.process, terminal: false, args: options.args };
  spec.root = { path: options.root, readonly: true };
  spec.linux.resources = {
    ...spec.linux.resources,
    memory: { limit: options.limits.memory_bytes },
    cpu: { quota: options.limits.cpu_millis * 100, period: 100_000 },
    pids: { limit: options.limits.pids },
  };
  options.after.defer(() => removeGroups(options.cgroup));
  return Array.from({ length: options.slots }, (_, slot) => {
    const bundle = join(dir, `bundle-${slot}`);
    mkdirSync(bundle);
    const name = `${runtime}-${slot}`;
    spec.linux.cgroupsPath = `${options.cgroup}/${name}`;
    writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
    return {
      file: runtime,
      args: ["--root", join(dir, "state"), "run", "--bundle", bundle, `mayfly-${process.pid}-${name}`],
      cwd: bundle,
    };
  });
}

/** They make groups in every hierarchy there is, also where we have none, and leave the parents. */
function removeGroups(cgroup: string): void {
  const places = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(" ")[4]!);
  for (const place of places) {
    for (const group of [cgroup, dirname(cgroup)]) {
      try {
        rmdirSync(join(place, group));
      } catch {
        // It is not there, or somebody else's groups are in it.
      }
    }
  }
}
