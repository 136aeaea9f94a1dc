import { describe, expect, it } from "vitest";
import { chooseCgroups } from "./choose.ts";
import type { Hierarchy } from "./mountinfo.ts";

const v1 = (...controllers: string[]): Hierarchy => ({
  version: "v1",
  mountPoint: `/c/${controllers.join(",")}`,
  controllers,
});
const unified: Hierarchy = { version: "v2", mountPoint: "/c/unified", controllers: [] };
const offers = (words: string) => () => words.split(" ");
const all = [v1("memory"), v1("cpu", "cpuacct"), v1("pids"), v1("freezer"), v1("blkio")];

describe("chooseCgroups", () => {
  it("takes v1 where memory is a v1 controller, also when a unified tree is mounted beside", () => {
    expect(chooseCgroups([unified, ...all], offers("hugetlb"))).toEqual({
      version: "v1",
      places: {
        memory: "/c/memory",
        cpu: "/c/cpu,cpuacct",
        cpuacct: "/c/cpu,cpuacct",
        pids: "/c/pids",
        freezer: "/c/freezer",
        blkio: "/c/blkio",
      },
    });
  });

  it("takes v2 when the unified tree offers memory, cpu and pids", () => {
    expect(chooseCgroups([unified], offers("cpuset cpu io memory pids"))).toEqual({
      version: "v2",
      place: "/c/unified",
    });
    expect(chooseCgroups([v1("cpuset"), unified], offers("cpu memory pids")).version).toBe("v2");
  });

  it("does without blkio", () => {
    const choice = chooseCgroups([v1("memory"), v1("cpu", "cpuacct"), v1("pids"), v1("freezer")], offers(""));
    expect(choice).toMatchObject({ places: { blkio: null } });
  });

  it.each([
    ["a v1 controller", [v1("memory"), v1("cpu", "cpuacct"), v1("pids")], "", /freezer.*mount/],
    ["a v2 controller", [unified], "cpu pids", /memory.*cgroup\.controllers.*cgroup_disable=memory/],
    [
      "a cpuset of its own",
      [v1("memory"), v1("cpuset", "cpu", "cpuacct"), v1("pids"), v1("freezer")],
      "",
      /mount cpuset by itself/,
    ],
    ["any hierarchy", [], "", /mount -t cgroup2/],
  ])("says what to do when %s is missing", (_, hierarchies, words, message) => {
    expect(() => chooseCgroups(hierarchies, offers(words))).toThrow(message);
  });
});
