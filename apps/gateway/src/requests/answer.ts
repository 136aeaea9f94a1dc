import {
  decodeJson,
  ErrorFrame,
  FAULTS,
  Fault,
  type FaultCode,
  FRAME,
  type Frame,
  ImageProgress,
} from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";

/** The JSON that a worker answers with, after what it tells meanwhile. @throws Fault with the worker's words, or worker_lost */
export async function jsonAnswer(
  channel: FrameChannel,
  onProgress: (progress: ImageProgress) => void,
): Promise<unknown> {
  for await (const frame of channel.frames) {
    if (frame.type === FRAME.ACK) return decodeJson(frame);
    if (frame.type !== FRAME.RECORD) throw faultOf(frame);
    onProgress(ImageProgress.parse(decodeJson(frame)));
  }
  throw lost();
}

/** The frames that a worker answers with, up to END. What goes wrong before the first of them is thrown here, the rest where they are read. */
export async function framesAnswer(channel: FrameChannel): Promise<AsyncGenerator<Frame>> {
  const frames = channel.frames[Symbol.asyncIterator]();
  const next = async (): Promise<Frame | null> => {
    const { value, done } = await frames.next();
    if (done) throw lost();
    if (value.type === FRAME.END) return null;
    if (value.type !== FRAME.DATA && value.type !== FRAME.STDERR) throw faultOf(value);
    return value;
  };
  const first = await next();
  return (async function* () {
    try {
      for (let frame = first; frame !== null; frame = await next()) yield frame;
    } finally {
      channel.destroy();
    }
  })();
}

export async function* bytesOf(frames: AsyncIterable<Frame>): AsyncGenerator<Uint8Array> {
  for await (const { payload } of frames) yield payload;
}

const lost = () =>
  new Fault("worker_lost", {
    detail: "the worker broke off before it had answered",
    hint: "ask again; its log says more",
  });

export function faultOf(frame: Frame): Fault {
  if (frame.type !== FRAME.ERROR)
    return new Fault("internal", { detail: `a worker answered with a frame of type ${frame.type}` });
  const { code, message } = ErrorFrame.parse(decodeJson(frame));
  return new Fault(Object.hasOwn(FAULTS, code) ? (code as FaultCode) : "internal", { detail: message });
}
