import { describe, expect, it } from "vitest";
import { parseHierarchies } from "./mountinfo.ts";

const cgroup = (place: string, options: string, root = "/", type = "cgroup"): string =>
  `32 31 0:29 ${root} ${place} rw,relatime shared:9 - ${type} cgroup ${options}`;

describe("parseHierarchies", () => {
  it("reads one hierarchy per controller, leaving out named ones and other file systems", () => {
    const text = [
      "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard",
      cgroup("/sys/fs/cgroup/memory", "rw,memory"),
      cgroup("/sys/fs/cgroup/systemd", "rw,xattr,name=systemd"),
      cgroup("/sys/fs/cgroup/unified", "rw", "/", "cgroup2"),
    ].join("\n");
    expect(parseHierarchies(text)).toEqual([
      { version: "v1", mountPoint: "/sys/fs/cgroup/memory", controllers: ["memory"] },
      { version: "v2", mountPoint: "/sys/fs/cgroup/unified", controllers: [] },
    ]);
  });

  it("keeps co-mounted controllers together and knows mount options from controllers", () => {
    const text = cgroup("/sys/fs/cgroup/cpu,cpuacct", "rw,cpu,cpuacct,clone_children,favordynmods,release_agent=/x");
    expect(parseHierarchies(text)[0]?.controllers).toEqual(["cpu", "cpuacct"]);
  });

  it("reads escaped places", () => {
    expect(parseHierarchies(cgroup("/a\\040b\\134c", "rw,pids"))[0]?.mountPoint).toBe("/a b\\c");
  });

  it("prefers the mount that shows the whole hierarchy", () => {
    const text = [cgroup("/jail/memory", "rw,memory", "/docker/1"), cgroup("/whole/memory", "rw,memory")].join("\n");
    expect(parseHierarchies(text).map((h) => h.mountPoint)).toEqual(["/whole/memory"]);
  });

  it("does not see a hierarchy that another mount hides", () => {
    const text = [cgroup("/sys/fs/cgroup", "rw,memory"), "33 31 0:30 / /sys/fs/cgroup rw - tmpfs tmpfs rw"].join("\n");
    expect(parseHierarchies(text)).toEqual([]);
  });
});
