import { Fault } from "@mayfly/contract";
import type { HonoRequest } from "hono";

const LONGEST_S = 300;

/**
 * Seconds that a client is willing to wait: `?wait=N` or `Prefer: wait=N` (RFC 7240, by which a preference that cannot be read is none).
 * 0: not at all. @throws Fault bad_request
 */
export function waitSeconds(request: HonoRequest): number {
  const asked = request.query("wait");
  if (asked !== undefined && !/^\d+(\.\d+)?$/.test(asked))
    throw new Fault("bad_request", { detail: `wait=${asked} is no number of seconds` });
  const preferred = /(?:^|[,;\s])wait=(\d+)/.exec(request.header("prefer") ?? "")?.[1];
  return Math.min(Number(asked ?? preferred ?? 0), LONGEST_S);
}
