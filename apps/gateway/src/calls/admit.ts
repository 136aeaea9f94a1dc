import type { Version } from "@mayfly/catalog";
import { Fault } from "@mayfly/contract";
import type { CallRegistry } from "./registry.ts";

/** A function may fill at most this share of the queue, so that a flood of one leaves room for the others. */
const LARGEST_SHARE = 0.75;

/** Answers at once what cannot be served: over the function's concurrency, or over what may wait. @throws Fault */
export function admit(version: Version, calls: CallRegistry, queueLimit: number): void {
  const name = version.function;
  const ofFunction = calls.count((call) => call.job.version.function === name && call.state !== "settling");
  if (ofFunction >= version.settings.concurrency) {
    throw new Fault("concurrency_limited", {
      detail: `${name} serves ${ofFunction} calls at once, its limit is ${version.settings.concurrency}`,
      hint: "raise it with the setting concurrency",
    });
  }
  const queued = calls.count((call) => call.state === "queued");
  const queuedOfFunction = calls.count((call) => call.state === "queued" && call.job.version.function === name);
  if (queued >= queueLimit || queuedOfFunction >= Math.ceil(queueLimit * LARGEST_SHARE)) {
    throw new Fault("no_capacity", {
      detail: `${queued} calls wait for a worker already, the limit is ${queueLimit}`,
      retryAfterSeconds: 1,
    });
  }
}
