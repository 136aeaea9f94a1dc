import { type FaultCode, type FaultDetails, faultRow, toProblem } from "@mayfly/contract";

/** The only place that turns a failure into an HTTP answer. */
export function problemResponse(code: FaultCode, details: FaultDetails, instance?: string): Response {
  return new Response(`${JSON.stringify(toProblem(code, details, instance))}\n`, {
    status: faultRow(code).status,
    headers: problemHeaders(code, details),
  });
}

export function problemHeaders(code: FaultCode, details: FaultDetails): Record<string, string> {
  return {
    "content-type": "application/problem+json",
    ...(code === "unauthorized" ? { "www-authenticate": 'Bearer realm="mayfly"' } : {}),
    ...(Array.isArray(details.extra?.allow) ? { allow: details.extra.allow.join(", ") } : {}),
    ...(faultRow(code).retry ? { "retry-after": String(details.retryAfterSeconds ?? 1) } : {}),
  };
}
