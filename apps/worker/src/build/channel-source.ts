import { type BuildJob, type Digest, FRAME } from "@mayfly/contract";
import { ImageError, type ImageSource, LARGEST_DOCUMENT_BYTES, Unavailable } from "@mayfly/image";
import { connectChannel, type FrameChannel } from "@mayfly/queue";
import type { WorkerDeps } from "../deps.ts";

/** The gateway's registry, over the data channel: blobs by digest, documents among them. */
export function channelSource(job: Pick<BuildJob, "channel">, { host }: Pick<WorkerDeps, "host">): ImageSource {
  const name = "the registry";
  const open = async (digest: Digest, from: number, signal: AbortSignal): Promise<FrameChannel> => {
    const hello = { kind: "blob", digest, from, host } as const;
    const { channel, go } = await connectChannel(job.channel, hello).catch((cause: Error) => {
      throw new Unavailable(`${name}: ${cause.message}`, { cause });
    });
    signal.throwIfAborted();
    if (go.go) return channel;
    channel.close();
    throw new ImageError("missing", `${name} has no ${digest} any more; push the image again, then deploy it`);
  };
  return {
    name,
    async manifest(reference, signal) {
      const digest = reference as Digest;
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of received(await open(digest, 0, signal), signal)) {
        parts.push(chunk);
        size += chunk.byteLength;
        if (size > LARGEST_DOCUMENT_BYTES)
          throw new ImageError("unsupported", `${name}: ${digest} is too large for a manifest`);
      }
      return { bytes: Buffer.concat(parts), media_type: null };
    },
    blob: async (digest, from, signal) => received(await open(digest, from, signal), signal),
  };
}

async function* received(channel: FrameChannel, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const cut = () => channel.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    for await (const { type, payload } of channel.frames) {
      if (type === FRAME.END) return channel.close();
      if (type === FRAME.DATA) yield payload;
    }
    signal.throwIfAborted();
    throw new Unavailable("the registry closed the channel in the middle of a blob");
  } finally {
    signal.removeEventListener("abort", cut);
    channel.destroy();
  }
}
