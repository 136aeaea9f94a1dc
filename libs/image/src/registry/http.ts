import { once } from "node:events";
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** A host that has not taken a connection by then is given up: one that drops what it is sent would keep us for minutes. */
const CONNECT_MS = 10_000;
/** Connections are used again, and hold nobody up who wants to end. */
const kept = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };

export interface HttpRequest {
  readonly method: string;
  /** `http:` or `https:`. */
  readonly url: URL;
  /** With `content-length` when there is a body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  readonly signal: AbortSignal;
}

/**
 * One request, and the head of its answer; no redirect is followed. By Node's own client and not by fetch, which has what streams through it
 * lie about in memory until it is collected as old, tens of MiB of it. @throws Error of the system, of TLS, of HTTP; what the body threw
 */
export async function send({ method, url, headers, body, signal }: HttpRequest): Promise<IncomingMessage> {
  const isTls = url.protocol === "https:";
  const agent = isTls ? kept.https : kept.http;
  const request = (isTls ? httpsRequest : httpRequest)(url, { method, headers, signal, agent });
  boundConnecting(request, isTls ? "secureConnect" : "connect");
  const over = new AbortController();
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve).on("error", reject);
    request.once("close", () => over.abort());
  });
  if (body === null || body instanceof Uint8Array) request.end(body ?? undefined);
  else sendBody(request, body, over.signal).catch((error) => request.destroy(error));
  const answer = await answered;
  over.abort();
  // It has heard enough: after half a body there can be no other request.
  answer.once("close", () => void (request.writableEnded || request.destroy()));
  return answer;
}

/** Until it is sent, or nobody wants it any more. */
async function sendBody(request: ClientRequest, body: AsyncIterable<Uint8Array>, over: AbortSignal): Promise<void> {
  for await (const chunk of body) {
    if (over.aborted) return;
    if (request.write(chunk)) continue;
    await once(request, "drain", { signal: over }).catch((error) => over.aborted || Promise.reject(error));
  }
  if (!over.aborted) request.end();
}

function boundConnecting(request: ClientRequest, connected: "connect" | "secureConnect"): void {
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const late = setTimeout(
      () => request.destroy(new Error(`no connection within ${CONNECT_MS / 1000} s`)),
      CONNECT_MS,
    );
    for (const event of [connected, "close"]) socket.once(event, () => clearTimeout(late));
  });
}
