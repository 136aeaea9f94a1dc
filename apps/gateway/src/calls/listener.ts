import type { IncomingMessage, ServerResponse } from "node:http";
import { toProblem } from "@mayfly/contract";
import type { GatewayDeps } from "../deps.ts";
import { asFault } from "../http/failure.ts";
import { problemHeaders } from "../http/problem-response.ts";
import { takeCall } from "./invoke.ts";

/** How long a caller may go on sending what nobody reads any more, so that it comes to read its answer. */
const LINGER_MS = 1_000;

export const isCall = (request: IncomingMessage): boolean => (request.url ?? "").startsWith("/fn/");

/** Function URLs, below any framework: methods, paths and bodies pass as they are, HEAD included. */
export const callListener =
  (deps: GatewayDeps) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.once("finish", () => linger(request));
    try {
      await takeCall(request, response, deps);
    } catch (error) {
      const { code, details } = asFault(error, request.url ?? "", deps.log);
      if (response.headersSent) return void response.destroy();
      const problem = toProblem(code, details, request.url?.split("?")[0]);
      response.writeHead(problem.status, problemHeaders(code, details));
      response.end(`${JSON.stringify(problem)}\n`);
    }
  };

/** The answer is out and the body is not in: the rest is thrown away for a while, then the connection is cut. */
function linger(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const cut = setTimeout(() => request.socket.destroy(), LINGER_MS);
  cut.unref();
  request.once("end", () => clearTimeout(cut));
  request.once("close", () => clearTimeout(cut));
  request.resume();
}
