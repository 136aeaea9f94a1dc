import { connect } from "node:net";
import { decodeJson, FRAME, Go, type Hello } from "@mayfly/contract";
import { FrameChannel } from "./frame-channel.ts";

const ANSWER_WITHIN_MS = 10_000;

/**
 * Opens a data channel: says hello and waits for the answer. `go.go` false means that the work is not wanted any more.
 * @throws Error when nobody listens, or the answer is none
 */
export async function connectChannel(address: string, hello: Hello): Promise<{ channel: FrameChannel; go: Go }> {
  const socket = connect({ ...endpoint(address), allowHalfOpen: true } as never);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (cause) => reject(new Error(`data channel ${address}: ${cause.message}`, { cause })));
  });
  const channel = new FrameChannel(socket);
  const late = setTimeout(() => channel.destroy(), ANSWER_WITHIN_MS);
  try {
    await channel.sendJson(FRAME.HELLO, hello);
    for await (const frame of channel.frames) {
      if (frame.type !== FRAME.GO) break;
      return { channel, go: Go.parse(decodeJson(frame)) };
    }
    throw new Error(`data channel ${address}: no answer to hello`, { cause: channel.error ?? undefined });
  } catch (error) {
    channel.destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** A path, or `host:port` between hosts. */
function endpoint(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith("/")) return { path: address };
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
}
