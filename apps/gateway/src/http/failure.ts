import { BadSetting, Fault } from "@mayfly/contract";
import type { Logger } from "pino";

/** What was thrown, as one row of the fault table. What nobody meant is `internal`: the log has it whole, the caller a reference. */
export function asFault(error: unknown, path: string, log: Logger): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof BadSetting)
    return new Fault("bad_setting", { detail: error.message, extra: { setting: error.setting } });
  const reference = crypto.randomUUID();
  log.error({ err: error, reference, path }, "a request failed inside of mayfly");
  return new Fault("internal", {
    detail: `something failed inside of Mayfly; the gateway's log has it as ${reference}`,
  });
}
