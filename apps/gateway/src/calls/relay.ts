import { decodeJson, ErrorFrame, FAULTS, type FaultCode, FRAME, ResponseHead, toProblem } from "@mayfly/contract";
import { problemHeaders } from "../http/problem-response.ts";
import { responseHeaders } from "./headers.ts";
import type { Call } from "./registry.ts";
import { requestLimit } from "./request-limit.ts";

/** A caller that takes nothing of a complete answer for so long has gone. */
const READ_WITHIN_MS = 60_000;

/** Headers of every answer to a call, whoever speaks. */
export function callHeaders(call: Call): [string, string][] {
  const { invocation, version } = call.job;
  return [
    ["mayfly-invocation", invocation],
    ["mayfly-version", String(version.version)],
    ["link", `</v1/invocations/${invocation}>; rel="describedby"`],
  ];
}

/** A platform's answer, when no head was sent; else the connection is cut, which is the only honest end that is left. */
export function answerFault(call: Call, code: FaultCode, detail: string): void {
  const { response } = call;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What went wrong inside of a function is for who holds the key; the invocation tells it in any case.
  const shown =
    FAULTS[code].blame === "function" && !call.trusted
      ? `${FAULTS[code].title}; the invocation's record says more`
      : detail;
  const details = { detail: shown, extra: { invocation: call.job.invocation } };
  response.writeHead(
    FAULTS[code].status,
    [...callHeaders(call), ...Object.entries(problemHeaders(code, details))].flat(),
  );
  response.end(`${JSON.stringify(toProblem(code, details, `/v1/invocations/${call.job.invocation}`))}\n`);
}

/** Streams the caller's body to the worker as it comes. */
export async function sendRequest(call: Call): Promise<void> {
  const channel = call.channel!;
  const limit = requestLimit(call.job.version);
  let sent = 0;
  // The function may answer without reading: then the connection must stay for its answer.
  for await (const chunk of call.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sent += chunk.byteLength;
    if (sent > limit) {
      answerFault(call, "body_too_large", `the request is over ${limit} bytes, which is the limit`);
      channel.close();
      return;
    }
    await channel.send(FRAME.DATA, chunk);
  }
  await channel.send(FRAME.END);
}

/** Streams the worker's answer to the caller as it comes. Resolves when the answer is over, however it ended. */
export async function receiveResponse(call: Call): Promise<void> {
  const { response } = call;
  for await (const frame of call.channel!.frames) {
    if (frame.type === FRAME.HEAD) {
      const head = ResponseHead.parse(decodeJson(frame));
      // More or fewer bytes than announced would be read as part of the next answer: it throws instead.
      response.strictContentLength = true;
      response.writeHead(head.status, responseHeaders(head.headers, callHeaders(call)));
      response.flushHeaders();
    } else if (!response.headersSent && frame.type !== FRAME.ERROR) {
      return answerFault(call, "bad_response", "the answer's body came before its head");
    } else if (frame.type === FRAME.DATA) {
      if (!response.write(frame.payload)) await drained(call);
    } else if (frame.type === FRAME.END) {
      response.setTimeout(READ_WITHIN_MS, () => response.destroy());
      response.end();
      return;
    } else if (frame.type === FRAME.ERROR) {
      const error = ErrorFrame.parse(decodeJson(frame));
      const code = Object.hasOwn(FAULTS, error.code) ? (error.code as FaultCode) : "internal";
      answerFault(call, code, error.message);
      return;
    }
  }
  answerFault(call, "worker_lost", "the worker was lost before the answer was complete; the call is not run again");
}

function drained(call: Call): Promise<void> {
  const { response } = call;
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
