import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { parseHierarchies } from "../../../libs/container/src/cgroup/mountinfo.ts";

/** What calls could leave behind in the kernel and in our processes, as counts; null where this kernel does not tell. */
export type Residue = Readonly<Record<string, number | null>>;

export function residueOf(processes: Readonly<Record<string, number>>): Residue {
  const counts: Record<string, number | null> = {};
  const seen = new Set<string>();
  for (const [name, pid] of Object.entries(processes)) {
    counts[`descriptors of ${name}`] = readdirSync(`/proc/${pid}/fd`).length;
    const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
    if (!seen.has(namespace)) counts[`mounts that ${name} sees`] = linesOf(`/proc/${pid}/mountinfo`);
    seen.add(namespace);
  }
  const places = parseHierarchies(readFileSync("/proc/self/mountinfo", "utf8"));
  const dirs = places.map(({ mountPoint }) => groupsBelow(mountPoint));
  counts["cgroups, all hierarchies"] = dirs.reduce((sum, count) => sum + count, 0);
  counts["memory cgroups that are removed and not gone"] = dying(places, dirs);
  counts["network namespaces"] = networkNamespaces();
  return counts;
}

const linesOf = (path: string): number => readFileSync(path, "utf8").trimEnd().split("\n").length;

/** Itself among them. */
function groupsBelow(dir: string): number {
  let count = 1;
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) count += groupsBelow(`${dir}/${entry.name}`);
  } catch {
    return 0; // it went while we looked
  }
  return count;
}

/** v2 counts them; v1 tells all that exist, and those that can be seen are taken off. */
function dying(places: ReturnType<typeof parseHierarchies>, dirs: readonly number[]): number | null {
  const v1 = places.findIndex(({ controllers }) => controllers.includes("memory"));
  if (v1 >= 0) {
    const all = /^memory\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/cgroups", "utf8"))?.[1];
    return all === undefined ? null : Number(all) - dirs[v1]!;
  }
  const v2 = places.find(({ version }) => version === "v2");
  const stat = v2 && readFileSync(`${v2.mountPoint}/cgroup.stat`, "utf8");
  const count = stat && /^nr_dying_descendants (\d+)$/m.exec(stat)?.[1];
  return count ? Number(count) : null;
}

/** Those that a process is in or holds a descriptor of: nothing else of ours could keep one. */
function networkNamespaces(): number {
  const found = new Set<string>();
  const look = (link: string) => {
    try {
      const target = readlinkSync(link);
      if (target.startsWith("net:[")) found.add(target);
    } catch {
      // It ended while we looked.
    }
  };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    look(`/proc/${pid}/ns/net`);
    for (const fd of entriesOf(`/proc/${pid}/fd`)) look(`/proc/${pid}/fd/${fd}`);
  }
  return found.size;
}

function entriesOf(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
