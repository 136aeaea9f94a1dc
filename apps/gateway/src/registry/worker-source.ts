import { type Digest, decodeJson, FRAME, type Frame, PublishOffer } from "@mayfly/contract";
import { ImageError, type ImageSource, LARGEST_DOCUMENT_BYTES, Unavailable } from "@mayfly/image";
import type { FrameChannel } from "@mayfly/queue";

export interface Offer {
  /** Null: the worker has no such image. */
  readonly image: Digest | null;
  /** One blob at a time. */
  readonly source: ImageSource;
}

/** What a worker offers over a channel that it opened, and the way to fetch it. @throws Error when it says nothing, or nonsense */
export async function openOffer(channel: FrameChannel): Promise<Offer> {
  const frames = channel.frames[Symbol.asyncIterator]();
  const next = async (): Promise<Frame> => {
    const { value, done } = await frames.next();
    if (done) throw new Unavailable("the worker closed its channel in the middle of an image");
    return value;
  };
  const { image } = PublishOffer.parse(decodeJson(await next()));
  async function* blob(digest: Digest, from: number): AsyncGenerator<Uint8Array> {
    await channel.sendJson(FRAME.RECORD, { digest, from });
    for (;;) {
      const frame = await next();
      if (frame.type === FRAME.END) return;
      if (frame.type !== FRAME.DATA) throw new ImageError("missing", `the worker cannot give ${digest}`);
      yield frame.payload;
    }
  }
  const source: ImageSource = {
    name: "the worker",
    async manifest(reference) {
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of blob(reference as Digest, 0)) {
        parts.push(chunk);
        size += chunk.byteLength;
        if (size > LARGEST_DOCUMENT_BYTES)
          throw new ImageError("unsupported", `${reference} is too large for a manifest`);
      }
      return { bytes: Buffer.concat(parts), media_type: null };
    },
    blob: async (digest, from) => blob(digest, from),
  };
  return { image, source };
}
