import { type ErrorFrame, Fault, type FaultCode, FRAME, type Frame, type Hello } from "@mayfly/contract";
import { ImageError, type ImageErrorReason } from "@mayfly/image";
import { connectChannel } from "@mayfly/queue";
import type { WorkerDeps } from "../deps.ts";
import { Requester } from "./requester.ts";

/** JSON, bytes as they come, or frames of our own choice. */
export type Answer =
  | { readonly result: unknown }
  | { readonly bytes: AsyncIterable<Uint8Array> }
  | { readonly frames: AsyncIterable<Frame> };

const CODES: Readonly<Record<ImageErrorReason, FaultCode>> = {
  missing: "not_found",
  corrupt: "bad_image",
  refused: "bad_image",
  unsupported: "bad_image",
  unauthorized: "registry_denied",
  unavailable: "registry_unavailable",
  no_space: "unavailable",
  io: "internal",
};

/** One request, whole: take it from the gateway, do it, answer with JSON (ACK), bytes or frames (and END), or what went wrong (ERROR). */
export async function serveRequest(
  address: string,
  hello: Hello & { request: string },
  perform: (requester: Requester) => Promise<Answer>,
  { log }: Pick<WorkerDeps, "log">,
): Promise<void> {
  const { channel, go } = await connectChannel(address, hello);
  if (!go.go) return channel.close();
  const requester = new Requester(channel);
  try {
    const answer = await perform(requester);
    if ("result" in answer) await channel.sendJson(FRAME.ACK, answer.result);
    else {
      if ("bytes" in answer) for await (const chunk of answer.bytes) await channel.send(FRAME.DATA, chunk);
      else for await (const { type, payload } of answer.frames) await channel.send(type, payload);
      await channel.send(FRAME.END);
    }
  } catch (error) {
    if (requester.gone.aborted) return;
    await channel.sendJson(FRAME.ERROR, errorFrame(error, hello.request, log)).catch(() => {
      // Nobody waits for it any more.
    });
  } finally {
    channel.close();
  }
}

function errorFrame(error: unknown, request: string, log: WorkerDeps["log"]): ErrorFrame {
  if (error instanceof Fault) return { code: error.code, message: error.message };
  if (error instanceof ImageError && error.reason !== "io")
    return { code: CODES[error.reason], message: error.message };
  log.error({ err: error, request }, "a request failed inside of mayfly");
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}
