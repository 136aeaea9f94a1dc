import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a run could leave on a machine, as sets of lines that two moments can be compared by. */
export type Leftovers = Readonly<
  Record<"processes" | "mounts" | "cgroups" | "namespaces" | "interfaces" | "tables" | "files", ReadonlySet<string>>
>;

const OURS = /mayfly|apps\/(gateway|worker)|launcher|redis-server|linux\.uml/;

export function leftovers(): Leftovers {
  return {
    processes: new Set(processes()),
    mounts: new Set(
      readFileSync("/proc/self/mountinfo", "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(" ").slice(3, 5).join(" ")),
    ),
    cgroups: new Set(cgroups()),
    namespaces: new Set(namespaces()),
    interfaces: new Set(readdirSync("/sys/class/net")),
    tables: new Set(spawnSync("nft", ["list", "tables"], { encoding: "utf8" }).stdout?.trim().split("\n")),
    files: new Set(
      [tmpdir(), "/dev/shm"].flatMap((dir) =>
        readdirSync(dir)
          .filter((name) => /mayfly|uml/i.test(name))
          .map((name) => join(dir, name)),
      ),
    ),
  };
}

/** What is there after and was not before. */
export function differences(before: Leftovers, after: Leftovers): string[] {
  return (Object.keys(before) as (keyof Leftovers)[]).flatMap((kind) =>
    [...after[kind]].filter((thing) => !before[kind].has(thing)).map((thing) => `${kind}: ${thing}`),
  );
}

function pids(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
}

function processes(): string[] {
  return pids().flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return OURS.test(line) && !line.includes("infra/src/test/main.ts") && !line.includes("infra/test.mjs")
        ? [`${pid} ${line}`]
        : [];
    } catch {
      return [];
    }
  });
}

/** Every cgroup below a parent of ours, in every hierarchy. */
function cgroups(): string[] {
  const roots = readFileSync("/proc/self/mountinfo", "utf8")
    .trim()
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => join(line.split(" ")[4]!, "mayfly"));
  return roots.filter((root) => existsSync(root)).flatMap((root) => [root, ...foldersBelow(root)]);
}

function foldersBelow(root: string): string[] {
  try {
    const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return folders.map((entry) => join(root, entry.name)).flatMap((folder) => [folder, ...foldersBelow(folder)]);
  } catch {
    return []; // It went while we looked.
  }
}

/** Namespaces that some process other than kernel threads is in. A zombie is in none: it waits for the host's init, which takes its time. */
function namespaces(): string[] {
  const seen = new Set<string>();
  for (const pid of pids().filter((pid) => !isZombie(pid))) {
    for (const kind of ["mnt", "net", "pid", "user", "ipc", "uts", "cgroup"]) {
      try {
        seen.add(readlinkSync(`/proc/${pid}/ns/${kind}`));
      } catch {
        // It ended, or it is not ours to see.
      }
    }
  }
  return [...seen];
}

function isZombie(pid: string): boolean {
  try {
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true; // Gone.
  }
}
