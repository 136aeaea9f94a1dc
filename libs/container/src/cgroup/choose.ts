import { CgroupError } from "./error.ts";
import type { Hierarchy } from "./mountinfo.ts";

/** Where each v1 controller lives; co-mounted ones share a place. blkio is used when it is there. */
export type V1Places = Readonly<Record<V1Controller, string>> & { readonly blkio: string | null };
export type V1Controller = (typeof V1_REQUIRED)[number];
export const V1_REQUIRED = ["memory", "cpu", "cpuacct", "pids", "freezer"] as const;
export const V2_REQUIRED = ["memory", "cpu", "pids"] as const;

export type Choice =
  | { readonly version: "v1"; readonly places: V1Places }
  | { readonly version: "v2"; readonly place: string };

/**
 * Which cgroups to use. A controller lives in one hierarchy only, so on a hybrid machine the place of `memory` decides: mounted as v1 → v1;
 * else the unified tree, when it offers memory, cpu and pids.
 * @param unifiedControllers words of `cgroup.controllers` of the cgroup2 mount at the given place
 * @throws CgroupError naming what is missing
 */
export function chooseCgroups(
  hierarchies: readonly Hierarchy[],
  unifiedControllers: (place: string) => readonly string[],
): Choice {
  const v1 = (controller: string): Hierarchy | undefined =>
    hierarchies.find((h) => h.version === "v1" && h.controllers.includes(controller));
  if (v1("memory")) {
    const missing = V1_REQUIRED.filter((controller) => !v1(controller));
    if (missing.length > 0) {
      throw new CgroupError(
        "find the cgroup v1 controllers",
        missing.join(", "),
        "ENOENT",
        `memory is mounted as v1, these are not: mount them too (mount -t cgroup -o ${missing[0]} cgroup /sys/fs/cgroup/${missing[0]}), or boot with systemd.unified_cgroup_hierarchy=1 for v2`,
      );
    }
    const place = (controller: V1Controller): string => v1(controller)!.mountPoint;
    const places: V1Places = {
      memory: place("memory"),
      cpu: place("cpu"),
      cpuacct: place("cpuacct"),
      pids: place("pids"),
      freezer: place("freezer"),
      blkio: v1("blkio")?.mountPoint ?? null,
    };
    const cpuset = v1("cpuset")?.mountPoint;
    if (cpuset !== undefined && Object.values(places).includes(cpuset)) {
      throw new CgroupError(
        "use the cgroup v1 hierarchy",
        cpuset,
        "ENOTSUP",
        "cpuset is mounted together with a controller of ours, and a new group there can hold nobody before somebody gives it CPUs: mount cpuset by itself",
      );
    }
    return { version: "v1", places };
  }
  const unified = hierarchies.find((h) => h.version === "v2");
  if (!unified) {
    throw new CgroupError(
      "find cgroups in",
      "/proc/self/mountinfo",
      "ENOENT",
      "no cgroup hierarchy with memory is mounted: mount -t cgroup2 none /sys/fs/cgroup",
    );
  }
  const offered = unifiedControllers(unified.mountPoint);
  const missing = V2_REQUIRED.filter((controller) => !offered.includes(controller));
  if (missing.length > 0) {
    throw new CgroupError(
      `find ${missing.join(", ")} in`,
      `${unified.mountPoint}/cgroup.controllers`,
      "ENOENT",
      `it offers "${offered.join(" ")}": remove cgroup_disable=${missing[0]} from the kernel's command line, or unmount the v1 hierarchies that hold them; in a container, delegate them`,
    );
  }
  return { version: "v2", place: unified.mountPoint };
}
