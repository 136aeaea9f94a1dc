import type { BuildFault } from "@mayfly/contract";
import { LONGEST_MSG } from "../protocol.ts";

/** A build that cannot go on, in words for who wrote the source. */
export class Failure extends Error {
  override name = "Failure";
  readonly fault: BuildFault;
  constructor(message: string, more: Partial<Omit<BuildFault, "message">> = {}) {
    super(message);
    this.fault = { code: "build_failed", message, ...more };
  }
}

/** What nobody foresaw is ours; its stack goes to the log. */
export function faultOf(error: unknown): BuildFault {
  if (error instanceof Failure) return error.fault;
  const { message, stack } = error as Error;
  process.stderr.write(`${stack}\n`);
  return { code: "internal", message: `the builder failed: ${message}`.slice(0, LONGEST_MSG) };
}
