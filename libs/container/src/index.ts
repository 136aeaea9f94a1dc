export type { Box, BoxUsage, KillReason } from "./box.ts";
export * from "./cgroup/index.ts";
export { type BoxHost, type BoxHostOptions, type Orphan, openBoxHost } from "./host.ts";
export { checkBoxNetwork, type NetworkCheck } from "./network/check.ts";
export { NetworkError } from "./network/error.ts";
export type { Nursery, NurserySpec } from "./nursery.ts";
export { BadBoxSpec, type BoxSpec, PROTECTIONS, type Protection } from "./spec.ts";
