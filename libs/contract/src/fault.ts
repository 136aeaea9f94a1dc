import type { InvocationStatus } from "./outcome.ts";

/**
 * The one table of faults. A code decides whose fault it is, the HTTP status, whether trying again makes sense, and whether the
 * call is billed. A code without all columns does not compile.
 */
interface FaultRow {
  readonly blame: "caller" | "function" | "platform";
  readonly status: number;
  readonly retry: boolean;
  readonly billed: boolean;
  readonly title: string;
  /** Status of the invocation when this fault ended one, null where there was no invocation. */
  readonly invocation: InvocationStatus | null;
}

const caller = (status: number, title: string, retry = false): FaultRow => ({
  blame: "caller",
  status,
  retry,
  billed: false,
  title,
  invocation: null,
});
const byFunction = (status: number, title: string, invocation: InvocationStatus): FaultRow => ({
  blame: "function",
  status,
  retry: false,
  billed: true,
  title,
  invocation,
});

export const FAULTS = {
  bad_request: caller(400, "The request cannot be read"),
  unauthorized: caller(401, "A key is needed"),
  forbidden: caller(403, "This key may not do that"),
  not_found: caller(404, "There is no such thing"),
  method_not_allowed: caller(405, "This method is not offered here"),
  conflict: caller(409, "The state does not allow this"),
  body_too_large: caller(413, "The body is too large"),
  unsupported_source: caller(415, "This source cannot be built"),
  bad_setting: caller(422, "A setting cannot be used"),
  unknown_image: caller(422, "There is no such image in the registry"),
  bad_image: caller(422, "The image cannot be used"),
  registry_denied: caller(422, "The registry does not let us"),
  build_failed: caller(422, "The build failed"),
  handler_not_found: caller(422, "No handler was found"),
  rate_limited: caller(429, "Too many requests", true),
  concurrency_limited: caller(429, "Too many calls of this function at once", true),
  budget_exceeded: caller(429, "The budget is spent", true),
  function_error: byFunction(500, "The function threw", "function_error"),
  function_crashed: byFunction(502, "The function ended without an answer", "crashed"),
  out_of_memory: byFunction(502, "The function ran out of memory", "out_of_memory"),
  bad_response: byFunction(502, "The function's answer is no HTTP answer", "function_error"),
  response_too_large: byFunction(502, "The function's answer is too large", "function_error"),
  timeout: byFunction(504, "The function did not answer in time", "timeout"),
  canceled: {
    blame: "caller",
    status: 499,
    retry: false,
    billed: true,
    title: "The call was canceled",
    invocation: "canceled",
  },
  internal: {
    blame: "platform",
    status: 500,
    retry: false,
    billed: false,
    title: "Mayfly failed",
    invocation: "platform_error",
  },
  worker_lost: {
    blame: "platform",
    status: 502,
    retry: false,
    billed: false,
    title: "The worker was lost while it served this call",
    invocation: "platform_error",
  },
  registry_unavailable: {
    blame: "platform",
    status: 502,
    retry: true,
    billed: false,
    title: "The registry does not answer",
    invocation: null,
  },
  no_capacity: {
    blame: "platform",
    status: 503,
    retry: true,
    billed: false,
    title: "No capacity is free",
    invocation: null,
  },
  unavailable: {
    blame: "platform",
    status: 503,
    retry: true,
    billed: false,
    title: "Mayfly cannot serve this now",
    invocation: null,
  },
} as const satisfies Record<string, FaultRow>;

export type FaultCode = keyof typeof FAULTS;
export const faultRow = (code: FaultCode): FaultRow => FAULTS[code];

export interface FaultDetails {
  /** What was tried, on what, what the answer was. */
  readonly detail: string;
  /** What to do. */
  readonly hint?: string | undefined;
  /** Further members of the problem document (RFC 9457 §3.2). */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** What our parts throw when they mean one row of the table. Everything else that is thrown is `internal`. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly details: FaultDetails;
  constructor(code: FaultCode, details: FaultDetails) {
    super(details.detail, { cause: details.cause });
    this.name = "Fault";
    this.code = code;
    this.details = details;
  }
}

/** RFC 9457 problem document. `type` is relative to the server, so that it resolves to our own documentation. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: FaultCode;
  readonly hint?: string | undefined;
  readonly instance?: string | undefined;
  readonly [member: string]: unknown;
}

export function toProblem(code: FaultCode, details: FaultDetails, instance?: string): Problem {
  const row = faultRow(code);
  return {
    type: `/docs/errors#${code}`,
    title: row.title,
    status: row.status,
    detail: details.detail,
    code,
    ...(details.hint === undefined ? {} : { hint: details.hint }),
    ...(instance === undefined ? {} : { instance }),
    ...details.extra,
  };
}
