import type { Version } from "@mayfly/catalog";
import { Fault } from "@mayfly/contract";
import type { CallRegistry } from "./registry.ts";

/** A function may fill at most this share of the queue, so that a flood of one leaves room for the others. */
const LARGEST_SHARE = 0.75;

/** Answers at once what cannot be served: over the function's concurrency, or over what may wait. @throws Fault */
export function admit(version: Version, calls: CallRegistry, queueLimit: number): void {
  const name = version.function;
  const own = calls.load(name);
  const all = calls.load();
  if (own.queued + own.running >= version.settings.concurrency) {
    throw new Fault("concurrency_limited", {
      detail: `${name} serves ${own.queued + own.running} calls at once, its limit is ${version.settings.concurrency}`,
      hint: "raise it with the setting concurrency",
    });
  }
  if (all.queued >= queueLimit || own.queued >= Math.ceil(queueLimit * LARGEST_SHARE)) {
    throw new Fault("no_capacity", {
      detail: `${all.queued} calls wait for a worker already (${own.queued} of ${name}), the limit is ${queueLimit}`,
      retryAfterSeconds: 1,
    });
  }
}
