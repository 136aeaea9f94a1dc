import type { RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "./app.ts";
import { callListener, isCall } from "./calls/listener.ts";
import type { GatewayDeps } from "./deps.ts";
import { problemResponse } from "./http/problem-response.ts";

/** Everything that arrives over HTTP: function URLs, and the API. */
export function createListener(deps: GatewayDeps): RequestListener {
  const call = callListener(deps);
  const api = getRequestListener(createApp(deps).fetch, {
    hostname: "localhost",
    errorHandler: (error) =>
      problemResponse("bad_request", { detail: error instanceof Error ? error.message : "the request cannot be read" }),
  });
  return (request, response) => void (isCall(request) ? call(request, response) : api(request, response));
}
