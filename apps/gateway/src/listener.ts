import type { RequestListener, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { toProblem } from "@mayfly/contract";
import { createApp } from "./app.ts";
import { onUpgrade, wantsFrames } from "./boxes/attach.ts";
import { callListener, isCall } from "./calls/listener.ts";
import type { GatewayDeps } from "./deps.ts";
import { problemHeaders, problemResponse } from "./http/problem-response.ts";
import type { startServer } from "./http/server.ts";

/** Everything that arrives over HTTP: function URLs, and the API. */
export function createListener(deps: GatewayDeps): RequestListener {
  const call = callListener(deps);
  const api = getRequestListener(createApp(deps).fetch, {
    hostname: "localhost",
    errorHandler: (error) =>
      problemResponse("bad_request", { detail: error instanceof Error ? error.message : "the request cannot be read" }),
  });
  return (request, response) => {
    if (request.headers.host === undefined && request.httpVersion === "1.1") return refuse(response);
    void (isCall(request) ? call(request, response) : api(request, response));
  };
}

/** Connections that become something else: those of who is attached to a box. */
export const createUpgrade = (deps: GatewayDeps): Parameters<typeof startServer>[0]["upgrade"] => ({
  wants: wantsFrames,
  take: (request, socket, head) => void onUpgrade(request, socket, head, deps),
});

/** RFC 9112 §3.2: nobody knows what such a request was meant for. */
function refuse(response: ServerResponse): void {
  const details = { detail: "the request has no Host" };
  response.writeHead(400, { ...problemHeaders("bad_request", details), connection: "close" });
  response.end(`${JSON.stringify(toProblem("bad_request", details))}\n`);
}
