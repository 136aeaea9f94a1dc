import type { Box } from "@mayfly/container";
import {
  BoxReady,
  type Contract,
  decodeJson,
  ErrorFrame,
  type ErrorFrame as ErrorFrameT,
  FIXED_LIMITS,
  FRAME,
  type Frame,
  ResponseHead,
} from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";

/** What passed between the client and the box. Filled while it happens, so that it is there whatever the ending. */
export interface Traffic {
  requestBytes: number;
  responseBytes: number;
  answered: number | null;
  complete: boolean;
  boxError: ErrorFrameT | null;
  clientGone: boolean;
  /** We ended the box because it had answered. */
  dismissed: boolean;
}

export const noTraffic = (): Traffic => ({
  requestBytes: 0,
  responseBytes: 0,
  answered: null,
  complete: false,
  boxError: null,
  clientGone: false,
  dismissed: false,
});

/** Waits until the runtime is up and in the box's cgroup. A fork is both from the beginning. False: the box ended first. */
export async function started(box: Box, channel: FrameChannel): Promise<boolean> {
  if (box.forked) return true;
  for await (const frame of channel.frames) {
    if (frame.type !== FRAME.RECORD) return false;
    await box.handover();
    return true;
  }
  return false;
}

/** Sends INIT and waits for READY. False: user code did not load; `traffic.boxError` says why when the box could. */
export async function load(box: FrameChannel, contract: Contract, module: string, traffic: Traffic): Promise<boolean> {
  await box.sendJson(FRAME.INIT, { module, contract, mode: "serve" });
  for await (const frame of box.frames) {
    if (frame.type === FRAME.READY) return BoxReady.safeParse(jsonOf(frame)).success;
    if (frame.type === FRAME.ERROR) traffic.boxError = readError(jsonOf(frame));
    return false;
  }
  return false;
}

/** Passes the request's body on as it comes. Returns when it is through, or when the client has gone. */
export async function passRequest(
  frames: AsyncIterable<Frame>,
  sink: { data(bytes: Uint8Array): Promise<void>; end(): Promise<void> },
  traffic: Traffic,
): Promise<void> {
  for await (const frame of frames) {
    if (frame.type === FRAME.DATA) {
      traffic.requestBytes += frame.payload.byteLength;
      await sink.data(frame.payload);
    } else if (frame.type === FRAME.END) {
      await sink.end();
    } else {
      break;
    }
  }
  // The gateway closes its side only when the call is over, or when its client is gone.
  if (!traffic.complete && traffic.boxError === null) traffic.clientGone = true;
}

/** Passes an answer on that comes as a head and a body. @throws what its body throws */
export async function sendAnswer(answer: {
  readonly head: ResponseHead;
  readonly body: AsyncIterable<Uint8Array>;
  readonly gateway: FrameChannel;
  readonly timing: () => string;
  readonly traffic: Traffic;
}): Promise<void> {
  const { head, body, gateway, timing, traffic } = answer;
  traffic.answered = head.status;
  const sent = (sending: Promise<void>) =>
    sending.catch((error: unknown) => {
      traffic.clientGone = true;
      throw error;
    });
  await sent(gateway.sendJson(FRAME.HEAD, { ...head, headers: [...head.headers, ["x-mayfly-timing", timing()]] }));
  for await (const bytes of body) {
    traffic.responseBytes += bytes.byteLength;
    if (traffic.responseBytes > FIXED_LIMITS.response_bytes) {
      return refuse(traffic, "response_too_large", `the answer is over ${FIXED_LIMITS.response_bytes} bytes`);
    }
    await sent(gateway.send(FRAME.DATA, bytes));
  }
  // Set first: the gateway may close as soon as it has the END, and that is no client that went away.
  traffic.complete = true;
  await sent(gateway.send(FRAME.END));
}

/** Passes the answer on to the gateway as it comes. What the box says is checked: it is user code's neighbour. */
export async function passResponse(
  box: FrameChannel,
  gateway: FrameChannel,
  timing: () => string,
  traffic: Traffic,
): Promise<void> {
  for await (const frame of box.frames) {
    if (frame.type === FRAME.HEAD && traffic.answered === null) {
      const head = ResponseHead.safeParse(jsonOf(frame));
      if (!head.success) return refuse(traffic, "bad_response", "the answer's head is none: check status and headers");
      traffic.answered = head.data.status;
      await gateway.sendJson(FRAME.HEAD, {
        ...head.data,
        headers: [...head.data.headers, ["x-mayfly-timing", timing()]],
      });
    } else if (frame.type === FRAME.DATA && traffic.answered !== null) {
      traffic.responseBytes += frame.payload.byteLength;
      if (traffic.responseBytes > FIXED_LIMITS.response_bytes) {
        return refuse(traffic, "response_too_large", `the answer is over ${FIXED_LIMITS.response_bytes} bytes`);
      }
      await gateway.send(FRAME.DATA, frame.payload);
    } else if (frame.type === FRAME.END && traffic.answered !== null) {
      // Set first: the gateway may close as soon as it has the END, and that is no client that went away.
      traffic.complete = true;
      await gateway.send(FRAME.END);
      return;
    } else if (frame.type === FRAME.ERROR) {
      traffic.boxError = readError(jsonOf(frame));
      return;
    } else {
      return refuse(traffic, "bad_response", `frame ${frame.type} out of order`);
    }
  }
}

function refuse(traffic: Traffic, code: "bad_response" | "response_too_large", message: string): void {
  traffic.boxError = { code, message };
}

/** User code can write to the box's descriptor: what is no JSON is read as nothing, which no schema takes. */
function jsonOf(frame: Frame): unknown {
  try {
    return decodeJson(frame);
  } catch {
    return undefined;
  }
}

function readError(value: unknown): ErrorFrameT {
  const parsed = ErrorFrame.safeParse(value);
  return parsed.success ? parsed.data : { code: "bad_response", message: "the box sent an error that cannot be read" };
}
