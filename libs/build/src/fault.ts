import { BuildFault, type Ending, formatBytes } from "@mayfly/contract";

/** What stops a build, meant for who deployed. */
export class BuildStopped extends Error {
  override name = "BuildStopped";
  readonly fault: BuildFault;
  constructor(fault: BuildFault) {
    super(fault.message);
    this.fault = fault;
  }
}

const CANCELLED: BuildFault = { code: "build_failed", message: "the build was cancelled" };

/** Why a build was stopped from outside: what who stopped it says, else that it was cancelled. */
export const stoppedBy = ({ reason }: AbortSignal): BuildFault =>
  reason instanceof BuildStopped ? reason.fault : CANCELLED;

const LONGEST_TEXT = 4_000;
const LONGEST_STACK = 16_000;
const LONGEST_EXCERPT = 1_000;
const MOST_LOCATIONS = 10;
const MOST_EXPORTS = 100;

/**
 * A failure as the program in a builder box told it, held to its shape and to bounds; null when it is none. What a box says ends in
 * the outbox, in the catalog and in an answer, and user code may have taken the program over.
 */
export function readFault(value: unknown): BuildFault | null {
  const read = BuildFault.safeParse(value);
  return read.success ? bounded(read.data) : null;
}

export function bounded({ code, message, hint, locations, exports }: BuildFault): BuildFault {
  return {
    code,
    message: clip(message, LONGEST_TEXT),
    ...(hint === undefined ? {} : { hint: clip(hint, LONGEST_STACK) }),
    ...(locations === undefined
      ? {}
      : {
          locations: locations.slice(0, MOST_LOCATIONS).map((location) => ({
            ...location,
            file: clip(location.file, LONGEST_EXCERPT),
            message: clip(location.message, LONGEST_EXCERPT),
            excerpt: clip(location.excerpt, LONGEST_EXCERPT),
          })),
        }),
    ...(exports === undefined ? {} : { exports: boundedExports(exports) }),
  };
}

export const boundedExports = (exports: readonly string[]): string[] =>
  exports.slice(0, MOST_EXPORTS).map((name) => clip(name, 200));

/** Bounds of the box that a build runs in, for what is said when one is hit. */
export interface Bounds {
  readonly limits: { readonly memory_bytes: number };
  readonly timeout_ms: number;
}
export type Phase = "bundle" | "detect" | "fetch";

const DOING: Record<Phase, string> = {
  bundle: "bundling the source",
  detect: "loading the module",
  fetch: "fetching what is outside",
};
const TOO_LONG: Record<Phase, string> = {
  bundle: "make the source smaller",
  detect: "is there an endless loop, or an await that never settles? Do slow work in the handler",
  fetch: "is it there, and does it answer? Fetch less, or send it along",
};
const TOO_LARGE: Record<Phase, string> = {
  bundle: "make the source smaller",
  detect: "raise it with memory=…, or load less at the start",
  fetch: "a repository is held in memory: send a smaller one, or an archive",
};

/** What it means that a box ended before it had answered. */
export function endedEarly(ending: Ending, phase: Phase, { limits, timeout_ms }: Bounds): BuildFault {
  switch (ending.kind) {
    case "timeout":
      return {
        code: "build_failed",
        message: `${DOING[phase]} took longer than ${timeout_ms / 1000} s`,
        hint: TOO_LONG[phase],
      };
    case "out_of_memory":
      return {
        code: "build_failed",
        message: `${DOING[phase]} needed more memory than ${formatBytes(limits.memory_bytes)}`,
        hint: TOO_LARGE[phase],
      };
    case "killed":
      return { code: "build_failed", message: `the build was stopped: ${ending.reason}` };
    case "refused":
      return {
        code: "internal",
        message: `no box could be made for the build: ${ending.step}: ${ending.errno} (${ending.message})`,
        ...(ending.remedy === null ? {} : { hint: ending.remedy }),
      };
    default: {
      const how = ending.kind === "exit" ? `code ${ending.code}` : `signal ${ending.signal}`;
      if (phase !== "detect") return { code: "internal", message: `the builder ended without an answer (${how})` };
      return { code: "build_failed", message: `the module ended the process while it was loaded (${how})` };
    }
  }
}

const clip = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most)}…`);
