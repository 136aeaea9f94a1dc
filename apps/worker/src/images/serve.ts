import { type ErrorFrame, type FaultCode, FRAME, type ImageJob } from "@mayfly/contract";
import { ImageError, type ImageErrorReason } from "@mayfly/image";
import { connectChannel } from "@mayfly/queue";
import type { WorkerDeps } from "../deps.ts";
import { perform } from "./perform.ts";
import { Requester } from "./requester.ts";

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

/** One request about images, whole: take it from the gateway, do it, answer with JSON (ACK), bytes (DATA, END) or what went wrong (ERROR). */
export async function serveImages(job: ImageJob, deps: WorkerDeps): Promise<void> {
  const { channel, go } = await connectChannel(job.channel, { kind: "image", request: job.request, host: deps.host });
  if (!go.go) return channel.close();
  const requester = new Requester(channel);
  const made = deps.inUse.making();
  try {
    const answer = await perform(await requester.task(), deps, requester);
    if ("result" in answer) await channel.sendJson(FRAME.ACK, answer.result);
    else {
      for await (const chunk of answer.bytes) await channel.send(FRAME.DATA, chunk);
      await channel.send(FRAME.END);
    }
  } catch (error) {
    if (requester.gone.aborted) return;
    await channel.sendJson(FRAME.ERROR, errorFrame(error, job, deps)).catch(() => {
      // Nobody waits for it any more.
    });
  } finally {
    made();
    channel.close();
  }
}

function errorFrame(error: unknown, { request }: ImageJob, { log }: WorkerDeps): ErrorFrame {
  if (error instanceof ImageError && error.reason !== "io")
    return { code: CODES[error.reason], message: error.message };
  log.error({ err: error, request }, "a request about images failed inside of mayfly");
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}
