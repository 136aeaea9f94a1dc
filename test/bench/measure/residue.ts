import { readdirSync, readFileSync } from "node:fs";
import { parseHierarchies } from "../../../libs/container/src/cgroup/mountinfo.ts";

/** What calls could leave behind in the kernel and in our processes, as counts; null where this kernel does not tell. */
export type Residue = Readonly<Record<string, number | null>>;

export function residueOf(processes: Readonly<Record<string, number>>): Residue {
  const counts: Record<string, number | null> = {};
  for (const [name, pid] of Object.entries(processes)) {
    counts[`descriptors of ${name}`] = readdirSync(`/proc/${pid}/fd`).length;
    counts[`mounts that ${name} sees`] = linesOf(`/proc/${pid}/mountinfo`);
  }
  const places = parseHierarchies(readFileSync("/proc/self/mountinfo", "utf8"));
  const dirs = places.map(({ mountPoint }) => groupsBelow(mountPoint));
  counts["cgroups, all hierarchies"] = dirs.reduce((sum, count) => sum + count, 0);
  counts["memory cgroups that are removed and not gone"] = dying(places, dirs);
  counts["network namespaces"] = slabObjects("net_namespace");
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

/** Objects of a kernel cache, whole slabs: a handful more or less is the allocator's. */
function slabObjects(name: string): number | null {
  try {
    const line = new RegExp(`^${name}\\s+(\\d+)`, "m").exec(readFileSync("/proc/slabinfo", "utf8"));
    return line ? Number(line[1]) : null;
  } catch {
    return null;
  }
}
