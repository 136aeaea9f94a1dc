import type { Box } from "@mayfly/container";
import type { VersionSpec } from "@mayfly/contract";
import { BadResponse, functionArn, lambdaAnswer, lambdaEvent } from "@mayfly/runtime";
import { passRequest, sendAnswer, type Traffic } from "../../invoke/exchange.ts";
import type { Exchange, Program } from "../program.ts";
import { type Reply, RuntimeApi } from "./runtime-api.ts";
import { readStreamed, StreamFailed } from "./streamed.ts";
import { traceId } from "./trace-id.ts";

/**
 * The contract `lambda` of images: the program asks for its request, replies, and asks for another, by which it says that it is done and
 * ends. It is up when it asks first.
 */
export class LambdaProgram implements Program {
  readonly takesOutput = false;
  readonly #box: Box;
  readonly #version: VersionSpec;
  readonly #api = new RuntimeApi();

  constructor(box: Box, version: VersionSpec) {
    this.#box = box;
    this.#version = version;
    box.serve(this.#api.server);
  }

  async initialise(traffic: Traffic, onMade: () => void): Promise<boolean> {
    onMade();
    const failure = await Promise.race([this.#api.asked, this.#box.ended.then(() => undefined)]);
    if (failure) traffic.boxError = failure;
    return failure === null;
  }

  async answer(exchange: Exchange): Promise<void> {
    const { traffic } = exchange;
    void this.#api.done.then(() => {
      traffic.dismissed = true;
      this.#box.kill({ kind: "killed", reason: "it has replied and asks for another request" });
    });
    const body = await this.#bodyOf(exchange);
    if (body === null) return;
    this.#give(exchange, body);
    const reply = await Promise.race([this.#api.replied, this.#box.ended.then(() => null)]);
    if (reply === null) return;
    try {
      await this.#pass(reply, exchange);
    } catch (error) {
      if (traffic.clientGone || traffic.boxError) return;
      if (error instanceof StreamFailed) traffic.boxError = error.frame;
      else traffic.boxError = { code: "bad_response", message: (error as Error).message };
    }
  }

  close(): void {
    this.#api.close();
  }

  /** Whole: an event holds it. Null: its caller went away. */
  #bodyOf({ gateway, traffic }: Exchange): Promise<Buffer | null> {
    const chunks: Uint8Array[] = [];
    return new Promise((resolve) => {
      const sink = {
        data: async (bytes: Uint8Array) => void chunks.push(new Uint8Array(bytes)),
        end: async () => resolve(Buffer.concat(chunks)),
      };
      void passRequest(gateway.frames, sink, traffic).then(() => {
        resolve(null);
        if (traffic.clientGone) this.#box.kill({ kind: "killed", reason: "the caller went away" });
      });
    });
  }

  #give({ job }: Exchange, body: Buffer): void {
    const { function: name, settings } = this.#version;
    const { invocation, head, deadline_ms } = job;
    const event = lambdaEvent({ head, body, function: name, invocation, epoch_ms: Date.now() });
    const trace = traceId(head.headers.find(([key]) => key === "traceparent")?.[1] ?? "");
    this.#api.give({
      id: invocation,
      headers: {
        "Lambda-Runtime-Deadline-Ms": String(deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": functionArn(name, settings.env.AWS_REGION),
        ...(trace && { "Lambda-Runtime-Trace-Id": trace }),
      },
      event: JSON.stringify(event),
    });
  }

  async #pass(reply: Reply, { job, gateway, traffic, timing }: Exchange): Promise<void> {
    if (reply.kind === "failure") {
      traffic.boxError = reply.error;
    } else if (reply.kind === "too_large") {
      const message = `the answer is over ${reply.limit_bytes} bytes; larger ones must be streamed`;
      traffic.boxError = { code: "response_too_large", message };
    } else if (reply.kind === "stream") {
      await sendAnswer({ ...(await readStreamed(reply.body)), gateway, timing, traffic });
    } else {
      const { head, body } = lambdaAnswer(parsed(reply.body));
      await sendAnswer({ head, body: only(job.head.method === "HEAD" ? null : body), gateway, timing, traffic });
    }
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new BadResponse(`what the function returned is no JSON: ${(error as Error).message}`);
  }
}

async function* only(body: Uint8Array | null): AsyncGenerator<Uint8Array> {
  if (body && body.byteLength > 0) yield body;
}
