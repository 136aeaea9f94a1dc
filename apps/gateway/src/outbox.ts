import { setImmediate as nextTurn } from "node:timers/promises";
import { FRAME, OutboxRecord } from "@mayfly/contract";
import { type FrameChannel, receiveRecords } from "@mayfly/queue";
import { z } from "zod";
import { settleBuild } from "./deploy/settle.ts";
import type { GatewayDeps } from "./deps.ts";

const Shipped = z.object({ seq: z.int(), record: OutboxRecord });
type Shipped = z.infer<typeof Shipped>;

/**
 * Records on their way from a worker's spool: entered, then acknowledged; one that was entered before is acknowledged again. Those
 * that arrive in one turn of the event loop share one commit. @throws Error when one cannot be entered; it stays in the spool
 */
export async function takeRecords(channel: FrameChannel, deps: GatewayDeps): Promise<void> {
  let batch: Shipped[] = [];
  let entering = Promise.resolve();
  for await (const value of receiveRecords(channel)) {
    batch.push(Shipped.parse(value));
    if (batch.length > 1) continue;
    entering = entering
      .then(() => nextTurn())
      .then(async () => {
        const taken = batch;
        batch = [];
        await enter(taken, channel, deps);
      });
    entering.catch(() => channel.destroy());
  }
  await entering;
}

async function enter(shipped: readonly Shipped[], channel: FrameChannel, deps: GatewayDeps): Promise<void> {
  const records = shipped.map(({ record }) => record);
  await deps.ledger.enter(records.filter((record) => record.kind === "invocation"));
  for (const record of records) {
    if (record.kind === "invocation") {
      deps.settled.tell(record.record.id);
      continue;
    }
    await deps.catalog.finishBuild(record.result);
    await settleBuild(record.result.build, deps);
  }
  for (const { seq } of shipped) await channel.sendJson(FRAME.ACK, { seq });
}
