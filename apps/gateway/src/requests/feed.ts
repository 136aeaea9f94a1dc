import type { Readable } from "node:stream";
import { FRAME } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";

/** A client of which nothing comes for so long holds a worker for nothing. */
const IDLE_MS = 60_000;
/** A client that is still sending reads no answer: what it sends after the worker's answer is taken up to here, and thrown away. */
const DRAINED_BYTES = 1024 ** 3;

/** Passes a body on to a worker, until the worker has answered. Never throws: a body that breaks off ends the channel, and so the answer. */
export async function feed(body: Readable, channel: FrameChannel): Promise<void> {
  let isAnswered = false;
  void channel.closed.then(() => {
    isAnswered = true;
  });
  const stuck = () => body.destroy(new Error(`nothing of the body came for ${IDLE_MS / 1000} s`));
  let idle = setTimeout(stuck, IDLE_MS);
  let drained = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      clearTimeout(idle);
      if (isAnswered) drained += chunk.byteLength;
      // A worker that has answered has closed the channel, or is about to.
      else await channel.send(FRAME.DATA, chunk).catch(() => {});
      if (drained > DRAINED_BYTES) return;
      idle = setTimeout(stuck, IDLE_MS);
    }
    if (!isAnswered) await channel.send(FRAME.END);
  } catch {
    channel.destroy();
  } finally {
    clearTimeout(idle);
  }
}
