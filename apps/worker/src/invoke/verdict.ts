import {
  describeEnding,
  type Ending,
  type ErrorFrame,
  FAULTS,
  type FaultCode,
  faultRow,
  type InvocationStatus,
} from "@mayfly/contract";

/** What was seen of one call, whatever its ending. */
export interface Observed {
  readonly ending: Ending;
  /** The box said so itself: the handler threw, or its answer was none. */
  readonly boxError: ErrorFrame | null;
  /** HTTP status of the function's own answer, once its head was passed on. */
  readonly answered: number | null;
  /** The answer's end was passed on. */
  readonly complete: boolean;
  readonly clientGone: boolean;
  /** We ended the box because it had answered: that is no failure. */
  readonly dismissed: boolean;
}

export interface Verdict {
  readonly status: InvocationStatus;
  readonly httpStatus: number | null;
  readonly fault: FaultCode | null;
  readonly message: string | null;
  readonly stack: string | undefined;
}

/** Decides, in one place, how an invocation ended and what the caller is told. Pure. */
export function judge(seen: Observed): Verdict {
  const { ending } = seen;
  if (ending.kind === "refused") return failed("internal", `the box ${describeEnding(ending)}`, seen);
  if (seen.clientGone) return failed("canceled", "the caller went away before the answer was complete", seen);
  if (ending.kind === "timeout") return failed("timeout", timeoutMessage(seen), seen);
  if (ending.kind === "out_of_memory")
    return failed("out_of_memory", "the function needed more memory than its limit", seen);
  if (seen.boxError) {
    return failed(codeOf(seen.boxError), seen.boxError.message, seen, seen.boxError.stack);
  }
  if (ending.kind === "killed" && !seen.dismissed) return failed("internal", `the box ${describeEnding(ending)}`, seen);
  if (!seen.complete) {
    return failed(
      "function_crashed",
      `the function's process ${describeEnding(ending)} before its answer was complete`,
      seen,
    );
  }
  return { status: "succeeded", httpStatus: seen.answered, fault: null, message: null, stack: undefined };
}

function timeoutMessage(seen: Observed): string {
  return seen.complete
    ? "the answer was sent; what ctx.waitUntil still held was cut off at the deadline"
    : "the function did not answer before its deadline";
}

function failed(code: FaultCode, message: string, seen: Observed, stack?: string): Verdict {
  const row = faultRow(code);
  return {
    status: row.invocation ?? "platform_error",
    httpStatus: seen.answered ?? row.status,
    fault: code,
    message,
    stack,
  };
}

/** A box may name only faults that are a function's; anything else it says is a bad answer. */
function codeOf(error: ErrorFrame): FaultCode {
  return Object.hasOwn(FAULTS, error.code) && faultRow(error.code as FaultCode).blame === "function"
    ? (error.code as FaultCode)
    : "bad_response";
}
