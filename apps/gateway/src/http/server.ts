import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { toProblem } from "@mayfly/contract";

/**
 * Listens. A body may take as long as its call, a head may not; Node refuses what two parsers could read differently (two lengths,
 * a length beside chunks, folded lines). @throws Error that says what to do when the address is taken
 */
export function startServer(options: {
  listener: RequestListener;
  /** Takes over connections of requests that it wants; with any other, an upgrade that is asked for is left out, as RFC 9110 §7.8 allows. */
  upgrade: {
    wants: (request: IncomingMessage) => boolean;
    take: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  };
  host: string;
  port: number;
}): Promise<Server> {
  const server = createServer(
    // Of a missing Host, Node would say nothing but 400: the listener says more.
    {
      headersTimeout: 10_000,
      requestTimeout: 0,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 16 * 1024,
      requireHostHeader: false,
      shouldUpgradeCallback: options.upgrade.wants,
    },
    options.listener,
  );
  // An expectation that we do not know is none (RFC 9110 §10.1.1).
  server.on("checkExpectation", options.listener);
  server.on("clientError", refuse);
  server.on("upgrade", options.upgrade.take);
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "it is taken" : error.message;
      reject(new Error(`cannot listen on ${options.host}:${options.port}: ${reason}; set MAYFLY_LISTEN=host:port`));
    });
    server.listen(options.port, options.host, () => resolve(server));
  });
}

/** What is no HTTP gets a problem document too, when nothing else was said on its connection. */
function refuse(error: NodeJS.ErrnoException, socket: Socket & { _httpMessage?: { headersSent: boolean } }): void {
  if (error.code === "ECONNRESET" || !socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify(toProblem("bad_request", { detail: `the request cannot be read: ${error.message}` }))}\n`;
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
