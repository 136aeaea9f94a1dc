/**
 * How a box ended: one shape for every ending. libs/container decides it in one place; output and usage are there whatever it was.
 */
export type Ending =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: number }
  /** Killed by us at its deadline. */
  | { readonly kind: "timeout" }
  /** The kernel killed in the box's cgroup for want of memory. */
  | { readonly kind: "out_of_memory" }
  /** Killed by us for another reason (client gone, shutdown). */
  | { readonly kind: "killed"; readonly reason: string }
  /** The box was never entered: this step failed, with the system's answer. */
  | {
      readonly kind: "refused";
      readonly step: string;
      readonly errno: string;
      readonly message: string;
      readonly remedy: string | null;
    };

export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case "exit":
      return ending.code === 0 ? "exited" : `exited with code ${ending.code}`;
    case "signal":
      return `was killed by signal ${ending.signal}`;
    case "timeout":
      return "was killed at its deadline";
    case "out_of_memory":
      return "was killed: out of memory";
    case "killed":
      return `was stopped: ${ending.reason}`;
    case "refused":
      return `could not be made: ${ending.step}: ${ending.errno} (${ending.message})${ending.remedy ? `; ${ending.remedy}` : ""}`;
  }
}

/** How an invocation ended, as users read it. */
export const INVOCATION_STATUS = [
  "succeeded",
  "function_error",
  "timeout",
  "out_of_memory",
  "crashed",
  "canceled",
  "platform_error",
] as const;
export type InvocationStatus = (typeof INVOCATION_STATUS)[number];
