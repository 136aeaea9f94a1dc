import { getRandomValues, randomBytes, randomInt, randomUUID } from "node:crypto";
import { FRAME, type SelfTest } from "@mayfly/contract";
import type { FrameSink } from "./answer.ts";

/**
 * What a fork must not share with its siblings, drawn from every source that user code has, and what it must not have of its nursery.
 * The worker compares several (apps/worker/src/nursery/self-test.ts).
 */
export async function selfTest(wire: FrameSink): Promise<void> {
  const drawn = {
    "Math.random": [Math.random(), Math.random(), Math.random()].join(),
    "crypto.randomBytes": randomBytes(16).toString("hex"),
    "crypto.getRandomValues": getRandomValues(new Uint32Array(4)).join(),
    "crypto.randomUUID": randomUUID(),
    "crypto.randomUUID, no cache": randomUUID({ disableEntropyCache: true }),
    "crypto.randomInt": String(randomInt(2 ** 48 - 1)),
  };
  const result: SelfTest = {
    drawn,
    pid: process.pid,
    uptime_s: process.uptime(),
    cwd: process.cwd(),
    env: Object.keys(process.env).sort(),
    timers: process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length,
    listeners: ["exit", "uncaughtException", "SIGTERM", "SIGINT", "message"].filter(
      (name) => process.listenerCount(name) > 0,
    ),
  };
  await wire.json(FRAME.RECORD, result);
}
