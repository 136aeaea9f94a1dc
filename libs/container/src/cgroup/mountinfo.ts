/** One mounted cgroup hierarchy, from /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Hierarchy {
  readonly version: "v1" | "v2";
  readonly mountPoint: string;
  /** v1: what is mounted here together, `["cpu", "cpuacct"]`. v2: empty, the tree says itself (cgroup.controllers). */
  readonly controllers: readonly string[];
}

/** Options of a v1 mount that are no controllers (cgroup1_show_options in the kernel). */
const NO_CONTROLLER =
  /^(rw|ro|xattr|noprefix|clone_children|cpuset_v2_mode|favordynmods|none|name=.*|release_agent=.*)$/;

/** The kernel writes space, tab, newline and backslash as octal escapes. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/**
 * All cgroup hierarchies in the order in which they were mounted. Of several mounts of one hierarchy the first that shows all of it
 * (root `/`) is taken, else the first; one that is hidden by a later mount on the same place is not seen.
 */
export function parseHierarchies(mountinfo: string): Hierarchy[] {
  const byPlace = new Map<string, { hierarchy: Hierarchy; root: string }>();
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    if (left === undefined || right === undefined) continue;
    const [, , , root = "", place = ""] = left.split(" ");
    const [type, , options = ""] = right.split(" ");
    const mountPoint = unescapeOctal(place);
    byPlace.delete(mountPoint);
    if (type === "cgroup2") {
      byPlace.set(mountPoint, { root, hierarchy: { version: "v2", mountPoint, controllers: [] } });
    } else if (type === "cgroup") {
      const controllers = options.split(",").filter((option) => !NO_CONTROLLER.test(option));
      if (controllers.length > 0) {
        byPlace.set(mountPoint, { root, hierarchy: { version: "v1", mountPoint, controllers } });
      }
    }
  }
  const chosen = new Map<string, { hierarchy: Hierarchy; root: string }>();
  for (const mount of byPlace.values()) {
    const key = `${mount.hierarchy.version} ${mount.hierarchy.controllers.join(",")}`;
    const before = chosen.get(key);
    if (before === undefined) chosen.set(key, mount);
    else if (before.root !== "/" && mount.root === "/") chosen.set(key, mount);
  }
  return [...chosen.values()].map((mount) => mount.hierarchy);
}
