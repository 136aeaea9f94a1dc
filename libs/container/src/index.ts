export type { Box, KillReason } from "./box.ts";
export * from "./cgroup/index.ts";
export { type BoxHost, type BoxHostOptions, type Orphan, openBoxHost } from "./host.ts";
export type { Nursery, NurserySpec } from "./nursery.ts";
export { BadBoxSpec, type BoxSpec, PROTECTIONS, type Protection } from "./spec.ts";
