import { FRAME, type FrameType, type ResponseHead } from "@mayfly/contract";
import { BadResponse } from "./bad-response.ts";
import { pieces } from "./wire.ts";

/** Headers that belong to a connection, not to an answer (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** @throws BadResponse saying what was returned and what would be right */
export function checkResponse(value: unknown): Response {
  if (value instanceof Response) {
    if (value.status < 200)
      throw new BadResponse(`the handler returned a Response of status ${value.status}; 200 to 599 can be sent`);
    if (value.bodyUsed)
      throw new BadResponse(
        "the handler returned a Response whose body was read already; return a fresh one, or response.clone()",
      );
    return value;
  }
  const what =
    value === undefined
      ? "nothing"
      : value === null
        ? "null"
        : `a value of type ${Array.isArray(value) ? "array" : typeof value}`;
  const like = typeof value === "string" ? "new Response(text)" : "new Response(…) or Response.json(…)";
  throw new BadResponse(`the handler returned ${what}; return ${like}`);
}

export function headOf(response: Response): ResponseHead {
  const headers: [string, string][] = [];
  response.headers.forEach((value, name) => {
    if (name !== "set-cookie" && !HOP_BY_HOP.has(name)) headers.push([name, value]);
  });
  for (const cookie of response.headers.getSetCookie()) headers.push(["set-cookie", cookie]);
  return { status: response.status, headers };
}

/** Where frames go. */
export interface FrameSink {
  json(type: FrameType, value: unknown): Promise<void>;
  send(type: FrameType, payload: Uint8Array): Promise<void>;
}

/** Sends the answer as it is produced: each chunk goes out when it is there. */
export async function sendResponse(wire: FrameSink, response: Response, withBody: boolean): Promise<void> {
  await wire.json(FRAME.HEAD, headOf(response));
  if (withBody && response.body) {
    for await (const chunk of response.body as unknown as AsyncIterable<unknown>) {
      if (!(chunk instanceof Uint8Array))
        throw new BadResponse("the response's stream produced a chunk that is no Uint8Array; encode it first");
      for (const piece of pieces(chunk)) await wire.send(FRAME.DATA, piece);
    }
  } else {
    await response.body?.cancel();
  }
  await wire.send(FRAME.END, new Uint8Array(0));
}
