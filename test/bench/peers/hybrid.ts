import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseHierarchies } from "../../../libs/container/src/cgroup/mountinfo.ts";

/**
 * crun refuses a machine that has cgroup v1 and, beside it, a v2 tree ("cgroups in hybrid mode not supported"): in our mount namespace
 * the v2 tree is taken off. Nothing to do where there is one kind only.
 */
export function hideSecondTree(): void {
  const hierarchies = parseHierarchies(readFileSync("/proc/self/mountinfo", "utf8"));
  const v1 = hierarchies.some(({ version, controllers }) => version === "v1" && controllers.includes("memory"));
  if (!v1) return;
  for (const { version, mountPoint } of hierarchies) if (version === "v2") execFileSync("umount", [mountPoint]);
}
