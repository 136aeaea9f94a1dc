export { type HostCheck, runHostChecks } from "./host-checks.ts";
