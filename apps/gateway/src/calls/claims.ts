import { FRAME, type Hello } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";
import type { GatewayDeps } from "../deps.ts";
import { answerFault, receiveResponse, sendRequest } from "./relay.ts";

/** A worker takes a call: yes once, then both bodies stream until the answer is over. */
export async function onInvocation(
  hello: Extract<Hello, { kind: "invocation" }>,
  channel: FrameChannel,
  deps: GatewayDeps,
): Promise<void> {
  const call = deps.calls.claim(hello.invocation, channel);
  if (!call) {
    await channel.sendJson(FRAME.GO, { go: false, reason: "the call is over, or another worker has it" });
    return channel.close();
  }
  try {
    await channel.sendJson(FRAME.GO, { go: true });
    // The function may answer without reading, and may close while the caller still sends.
    sendRequest(call).catch(() => {
      if (call.request.destroyed) channel.close();
    });
    await receiveResponse(call);
  } catch (error) {
    if (!call.response.destroyed) deps.log.warn({ err: error, invocation: hello.invocation }, "a call was cut");
    answerFault(call, "bad_response", "the answer could not be passed on");
  } finally {
    channel.close();
  }
}
