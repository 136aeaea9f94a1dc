import { BlobRequest, type Digest, decodeJson, FRAME, type PublishJob } from "@mayfly/contract";
import { ImageError } from "@mayfly/image";
import { connectChannel, type FrameChannel } from "@mayfly/queue";
import type { WorkerDeps } from "./deps.ts";

/** Shows the gateway one image of the store: its manifest, its config, its layers, and no blob besides. */
export async function publish(job: PublishJob, deps: WorkerDeps): Promise<void> {
  const { store, host } = deps;
  const { channel, go } = await connectChannel(job.channel, { kind: "publish", publish: job.publish, host });
  try {
    if (!go.go) return;
    const image = await store.resolve(job.image);
    await channel.sendJson(FRAME.RECORD, { image });
    if (image !== null) await serve(await blobsOf(image, deps), channel, deps);
  } catch (error) {
    deps.log.error({ err: error, image: job.image }, "an image could not be published");
  } finally {
    channel.close();
  }
}

async function blobsOf(image: Digest, { store }: WorkerDeps): Promise<ReadonlySet<Digest>> {
  const { manifest } = await store.image(image);
  return new Set([image, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)]);
}

async function serve(blobs: ReadonlySet<Digest>, channel: FrameChannel, { store }: WorkerDeps): Promise<void> {
  for await (const frame of channel.frames) {
    const { digest, from } = BlobRequest.parse(decodeJson(frame));
    if (!blobs.has(digest)) throw new ImageError("refused", `${digest} is no part of the image that was asked for`);
    const bytes = from === 0 ? store.blobs.open(digest) : store.blobs.openRange(digest, from, Number.POSITIVE_INFINITY);
    for await (const chunk of bytes) await channel.send(FRAME.DATA, chunk);
    await channel.send(FRAME.END);
  }
}
