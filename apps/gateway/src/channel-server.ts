import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BuildRecord, decodeJson, FRAME, type Hello } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";
import { onInvocation } from "./calls/claims.ts";
import type { GatewayDeps } from "./deps.ts";
import { takeRecords } from "./outbox.ts";

/** Everything that workers tell the gateway, by what they said hello for. */
export async function onConnection(hello: Hello, channel: FrameChannel, deps: GatewayDeps): Promise<void> {
  try {
    if (hello.kind === "invocation") await onInvocation(hello, channel, deps);
    else if (hello.kind === "build") await onBuild(hello.build, channel, deps);
    else await onOutbox(hello.host, channel, deps);
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
  // A build that was canceled leaves its upload to whom it would have been for.
  else await rm(join(deps.uploads, id), { force: true });
  channel.close();
}

/** A worker holds its outbox open for as long as it lives: that is how it is known to be there. */
async function onOutbox(host: string, channel: FrameChannel, deps: GatewayDeps): Promise<void> {
  deps.workers.add(channel);
  deps.log.info({ host }, "a worker is here");
  try {
    await channel.sendJson(FRAME.GO, { go: true });
    await takeRecords(channel, deps);
  } finally {
    deps.workers.delete(channel);
    deps.log.info({ host }, "a worker has gone");
  }
  channel.close();
}
