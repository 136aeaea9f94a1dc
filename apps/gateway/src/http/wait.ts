import type { HonoRequest } from "hono";

const LONGEST_S = 300;

/** Seconds that a client is willing to wait: `?wait=N` or `Prefer: wait=N` (RFC 7240). 0: not at all. */
export function waitSeconds(request: HonoRequest): number {
  const asked = request.query("wait") ?? /(?:^|[,;\s])wait=(\d+)/.exec(request.header("prefer") ?? "")?.[1];
  const seconds = Number(asked ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, LONGEST_S) : 0;
}
