export { CgroupError } from "./error.ts";
export { openCgroupTree } from "./open-tree.ts";
export type { Cgroup, CgroupLimits, CgroupTree, CgroupTreeOptions } from "./tree.ts";
