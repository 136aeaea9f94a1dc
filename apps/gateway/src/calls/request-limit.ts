import { FIXED_LIMITS, type VersionSpec } from "@mayfly/contract";

/** How long a request's body may be. */
export const requestLimit = ({ contract }: Pick<VersionSpec, "contract">): number =>
  contract === "runtime-api" ? FIXED_LIMITS.event_bytes : FIXED_LIMITS.request_bytes;
