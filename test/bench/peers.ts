import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Someone else's way to run the same program over the same files, started from this process. */
export interface Peer {
  readonly name: string;
  run(): Promise<void>;
}

async function ended(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"], cwd });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

/** No box at all: what starting a process from Node costs, which the other peers pay as well. */
export const spawned = (program: readonly string[]): Peer => ({
  name: "no box: spawn",
  run: () => ended(program[0]!, program.slice(1), "/"),
});

/** Namespaces and a bind of the root, no cgroup, no limits. */
export const bubblewrap = (root: string, program: readonly string[]): Peer => ({
  name: "bwrap --unshare-all",
  run: () =>
    ended("bwrap", ["--unshare-all", "--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev", ...program], "/"),
});

/** runc's own default spec with our limits, in a cgroup below ours. */
export function runc(dir: string, root: string, program: readonly string[], cgroup: string): Peer {
  const bundle = join(dir, "bundle");
  mkdirSync(bundle);
  execFileSync("runc", ["spec"], { cwd: bundle });
  const spec = JSON.parse(execFileSync("cat", [join(bundle, "config.json")], { encoding: "utf8" }));
  spec.process = { ...spec.process, terminal: false, args: program };
  spec.root = { path: root, readonly: true };
  spec.linux.resources = {
    ...spec.linux.resources,
    memory: { limit: 128 * 1024 * 1024 },
    cpu: { quota: 100_000, period: 100_000 },
    pids: { limit: 32 },
  };
  let count = 0;
  return {
    name: "runc run",
    run: async () => {
      count += 1;
      spec.linux.cgroupsPath = `${cgroup}/bench-${count}`;
      writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
      await ended("runc", ["--root", join(dir, "runc"), "run", "--bundle", bundle, `mayfly-bench-${count}`], bundle);
    },
  };
}

/** runc makes its groups in every hierarchy there is, also where we have none, and leaves their parents. */
export function removeRuncGroups(cgroup: string): void {
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
