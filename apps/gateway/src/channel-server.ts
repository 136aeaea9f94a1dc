import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BuildRecord, decodeJson, FRAME, type Hello, OutboxRecord } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";
import { z } from "zod";
import { onInvocation } from "./calls/claims.ts";
import type { GatewayDeps } from "./deps.ts";

/** Everything that workers tell the gateway, by what they said hello for. */
export async function onConnection(hello: Hello, channel: FrameChannel, deps: GatewayDeps): Promise<void> {
  try {
    if (hello.kind === "invocation") await onInvocation(hello, channel, deps);
    else if (hello.kind === "build") await onBuild(hello.build, channel, deps);
    else await onOutbox(channel, deps);
  } catch (error) {
    deps.log.warn({ err: error, hello }, "a worker's connection failed");
    channel.destroy();
  }
}

/** A build's log while it runs. */
async function onBuild(id: string, channel: FrameChannel, deps: GatewayDeps): Promise<void> {
  const build = await deps.catalog.build(id);
  const wanted = build?.status === "queued";
  await channel.sendJson(FRAME.GO, {
    go: wanted,
    ...(wanted ? {} : { reason: "the build was canceled or has ended" }),
  });
  if (wanted) {
    for await (const frame of channel.frames) {
      if (frame.type === FRAME.RECORD) deps.builds.append(id, BuildRecord.parse(decodeJson(frame)));
    }
  }
  channel.close();
}

const Shipped = z.object({ seq: z.int(), record: OutboxRecord });

/** Records on their way from a worker's spool: entered, then acknowledged. One that was entered before is acknowledged again. */
async function onOutbox(channel: FrameChannel, deps: GatewayDeps): Promise<void> {
  await channel.sendJson(FRAME.GO, { go: true });
  for await (const frame of channel.frames) {
    if (frame.type !== FRAME.RECORD) break;
    const { seq, record } = Shipped.parse(decodeJson(frame));
    if (record.kind === "invocation") {
      await deps.ledger.enter([record]);
      deps.settled.tell(record.record.id);
    } else {
      await deps.catalog.finishBuild(record.result);
      deps.builds.end(record.result.build);
      deps.settled.tell(record.result.build);
      await rm(join(deps.uploads, record.result.build), { force: true });
    }
    await channel.sendJson(FRAME.ACK, { seq });
  }
  channel.close();
}
