import type { BuildFault } from "@mayfly/contract";

/** A build that cannot go on, in words for who wrote the source. */
export class Failure extends Error {
  override name = "Failure";
  readonly fault: BuildFault;
  constructor(message: string, more: Partial<Omit<BuildFault, "message">> = {}) {
    super(message);
    this.fault = { code: "build_failed", message, ...more };
  }
}
