import { cgroupConformance } from "./conformance.ts";
import { openCgroupTree } from "./open-tree.ts";

cgroupConformance("cgroups of this machine", (instance) => openCgroupTree({ instance }));
