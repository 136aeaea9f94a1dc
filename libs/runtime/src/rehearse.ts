import { FRAME, type Frame } from "@mayfly/contract";
import { checkResponse, type FrameSink, sendResponse } from "./answer.ts";
import { findHandler } from "./handler.ts";
import { type FrameSource, requestBody } from "./wire.ts";

/**
 * Takes requests that nobody sent: Node loads `Request`, `Response` and streams when they are first used, which costs tens of
 * milliseconds that are not the function's; and what a fork touches first it has to copy. No user code runs here and nothing random is
 * drawn.
 */
export async function rehearse(rounds: number): Promise<void> {
  const context = { waitUntil: () => {}, invocation: "", deadline: 0 };
  const sink: FrameSink = { json: async () => {}, send: async () => {} };
  const { handler } = findHandler({ default: { fetch: echo } }, "fetch");
  for (let round = 0; round < rounds; round += 1) {
    const url = new URL("/warm?up=1", "http://localhost");
    const body = round % 2 === 0 ? { body: requestBody(oneFrame()), duplex: "half" } : {};
    const request = new Request(url, {
      method: round % 2 === 0 ? "POST" : "PUT",
      headers: [["content-type", "text/plain"]],
      signal: new AbortController().signal,
      ...body,
    } as RequestInit);
    const call = { head: HEAD, request, env: {}, context };
    await sendResponse(sink, checkResponse(await handler!(call)), true);
  }
}

const HEAD = { method: "POST", target: "/", headers: [], origin: "http://localhost", invocation: "", deadline_ms: 0 };

async function echo(request: Request): Promise<Response> {
  const text = await request.text();
  const query = new URL(request.url).searchParams.get("up");
  const bytes = new TextEncoder().encode(text);
  if (bytes.byteLength === 0) return Response.json({ query, type: request.headers.get("content-type") });
  return new Response(ReadableStream.from([bytes]), {
    headers: { "content-type": "text/plain" },
  });
}

function oneFrame(): FrameSource {
  const frames: Frame[] = [
    { type: FRAME.DATA, payload: new TextEncoder().encode("warm") },
    { type: FRAME.END, payload: new Uint8Array(0) },
  ];
  return { next: async () => frames.shift() ?? null, watch: async () => {} };
}
