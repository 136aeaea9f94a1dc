import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BuildRecord, type BuildSecrets, decodeJson, FRAME, type Hello, type PublishId } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";
import { onInvocation } from "./calls/claims.ts";
import type { GatewayDeps } from "./deps.ts";
import { takeRecords } from "./outbox.ts";

/** Everything that workers tell the gateway, by what they said hello for. */
export async function onConnection(hello: Hello, channel: FrameChannel, deps: GatewayDeps): Promise<void> {
  try {
    if (hello.kind === "invocation") await onInvocation(hello, channel, deps);
    else if (hello.kind === "build") await onBuild(hello.build, channel, deps);
    else if (hello.kind === "blob") await onBlob(hello, channel, deps);
    else if (hello.kind === "image") await onRequest(deps.images.take(hello.request), channel);
    else if (hello.kind === "box") await onRequest(deps.boxes.take(hello.request), channel);
    else if (hello.kind === "publish") await onPublish(hello.publish, channel, deps);
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
    if (build.options.secrets.length > 0) await channel.sendJson(FRAME.RECORD, secretsOf(id, deps));
    await deps.building.while(id, channel, async () => {
      for await (const frame of channel.frames) {
        if (frame.type === FRAME.RECORD) deps.builds.append(id, BuildRecord.parse(decodeJson(frame)));
      }
    });
  }
  // A build that was canceled leaves its upload to whom it would have been for.
  else await rm(join(deps.uploads, id), { force: true });
  channel.close();
}

/** None when a gateway before this one had them: the worker sees what is missing, if it has not got them already. */
function secretsOf(build: string, { secrets }: GatewayDeps): BuildSecrets {
  const pairs = [...(secrets.of(build) ?? [])].map(([id, value]) => [id, Buffer.from(value).toString("base64")]);
  return Object.fromEntries(pairs);
}

/** A worker brings an image of the registry into its own store. A blob that is damaged ends without END. */
async function onBlob(
  { digest, from }: Extract<Hello, { kind: "blob" }>,
  channel: FrameChannel,
  { registry }: GatewayDeps,
): Promise<void> {
  if (!(await registry.blobs.has(digest))) {
    await channel.sendJson(FRAME.GO, { go: false, reason: "the registry has no such blob" });
    return channel.close();
  }
  await channel.sendJson(FRAME.GO, { go: true });
  const bytes =
    from === 0 ? registry.blobs.open(digest) : registry.blobs.openRange(digest, from, Number.POSITIVE_INFINITY);
  for await (const chunk of bytes) await channel.send(FRAME.DATA, chunk);
  await channel.send(FRAME.END);
  channel.close();
}

/** A worker brings an image that somebody wants to pull. */
async function onPublish(id: PublishId, channel: FrameChannel, { published }: GatewayDeps): Promise<void> {
  await channel.sendJson(FRAME.GO, { go: published.wants(id) });
  await published.take(id, channel);
  channel.close();
}

/** A worker comes for a request about its images or boxes; from then on the channel is the request's. */
async function onRequest(take: ((channel: FrameChannel) => void) | null, channel: FrameChannel): Promise<void> {
  await channel.sendJson(FRAME.GO, { go: take !== null });
  if (take) take(channel);
  else channel.close();
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
