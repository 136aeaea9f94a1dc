import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Box } from "@mayfly/container";
import { FRAME, type Frame, type RequestHead, ResponseHead } from "@mayfly/contract";
import { passRequest, sendAnswer, type Traffic } from "../invoke/exchange.ts";
import type { Exchange, Program } from "./program.ts";

/** Where the server in the box listens; it is told in its environment. */
export const HTTP_PORT = 8080;
const LONGEST_PAUSE_MS = 16;
/** Methods whose request has a body only when it says so (RFC 9110 §9.3). */
const WITHOUT_BODY = new Set(["GET", "HEAD", "OPTIONS", "DELETE", "TRACE"]);

/** The contract `http`: the image's program serves HTTP on $PORT. It is up when the port takes a connection, and ends when it has answered. */
export class HttpProgram implements Program {
  readonly takesOutput = false;
  readonly #box: Box;
  readonly #port: number;
  /** The connection that told that it is up is the one that gets the request: a server of one thread waits on it. */
  #connection: Socket | null = null;

  constructor(box: Box, port = HTTP_PORT) {
    this.#box = box;
    this.#port = port;
  }

  async initialise(_traffic: Traffic, onMade: () => void): Promise<boolean> {
    onMade();
    let over = this.#box.pid === 0;
    void this.#box.ended.then(() => (over = true));
    for (let pause = 1; !over; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      this.#connection = this.#connect();
      if (this.#connection) return true;
      await sleep(pause);
    }
    return false;
  }

  async answer(exchange: Exchange): Promise<void> {
    const { gateway, traffic, timing } = exchange;
    let request: ClientRequest | null = null;
    try {
      // Node refuses targets and headers that its parser takes, and the server may have ended while it waited.
      const [sent, answered] = await this.#ask(exchange);
      request = sent;
      const response = await answered;
      const head = ResponseHead.safeParse({ status: response.statusCode, headers: headersOf(response) });
      if (!head.success) throw new Error("its status or a header cannot be passed on");
      await sendAnswer({ head: head.data, body: response, gateway, timing, traffic });
    } catch (error) {
      if (traffic.clientGone || traffic.boxError) return;
      const message = `the HTTP server in the box gave no whole answer: ${(error as Error).message}`;
      traffic.boxError = { code: "bad_response", message };
    } finally {
      request?.destroy();
      // A server does not end by itself.
      traffic.dismissed = true;
      this.#box.kill({ kind: "killed", reason: "it has answered" });
    }
  }

  /** Sends the request, its body as it comes. */
  async #ask(exchange: Exchange): Promise<[ClientRequest, Promise<IncomingMessage>]> {
    const { job, gateway, traffic } = exchange;
    const frames = gateway.frames[Symbol.asyncIterator]();
    const first = await firstOf(job.head, frames);
    const request = this.#request(exchange, first !== null);
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once("response", resolve);
      request.once("upgrade", () => reject(new Error("it asks for another protocol, which a call cannot change to")));
      request.once("error", reject);
    });
    const rest = { [Symbol.asyncIterator]: () => resumed(first, frames) };
    void passRequest(rest, sinkOf(request), traffic)
      .catch(() => {
        // It closed the connection: its answer, or its end, tells why.
      })
      .then(() => traffic.clientGone && this.#box.kill({ kind: "killed", reason: "the caller went away" }));
    return [request, answered];
  }

  close(): void {
    this.#connection?.destroy();
  }

  #connect(): Socket | null {
    try {
      return this.#box.connect(this.#port).on("error", () => {});
    } catch (error) {
      if (["ECONNREFUSED", "EAGAIN"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
      throw error;
    }
  }

  #request({ job }: Exchange, hasBody: boolean): ClientRequest {
    const { method, target, headers } = job.head;
    const sized = headers.some(([name]) => name === "content-length");
    const own: [string, string][] = [
      ["mayfly-invocation", job.invocation],
      ["mayfly-deadline-ms", String(job.deadline_ms)],
      ["connection", "close"],
      ...(hasBody && !sized ? [["transfer-encoding", "chunked"] as [string, string]] : []),
    ];
    return httpRequest({
      // Without an agent: with one, even `agent: false`, Node makes a connection of its own, in the network of the host.
      // A connection that it closed while it waited, as servers do with idle ones, is made again.
      createConnection: () => {
        const kept = this.#connection;
        if (kept && !kept.destroyed && kept.readable) return kept;
        this.#connection = this.#box.connect(this.#port);
        return this.#connection;
      },
      setHost: false,
      method,
      path: target,
      headers: [...headers, ...own].flat() as unknown as Record<string, string>,
    });
  }
}

/** The first frame of the request's body; null: it has none, which is known of some methods only when it does not come. */
async function firstOf(head: RequestHead, frames: AsyncIterator<Frame, undefined>): Promise<Frame | null> {
  const sized = head.headers.find(([name]) => name === "content-length");
  if (!WITHOUT_BODY.has(head.method) || (sized && sized[1] !== "0")) return BODY_FOLLOWS;
  const { value } = await frames.next();
  return value?.type === FRAME.DATA ? value : null;
}
const BODY_FOLLOWS: Frame = { type: FRAME.DATA, payload: new Uint8Array(0) };

async function* resumed(first: Frame | null, frames: AsyncIterator<Frame, undefined>): AsyncGenerator<Frame> {
  yield first ?? { type: FRAME.END, payload: new Uint8Array(0) };
  for (let next = await frames.next(); !next.done; next = await frames.next()) yield next.value;
}

function sinkOf(request: ClientRequest) {
  const broken = new Promise<never>((_, reject) => request.once("close", () => reject(new Error("closed"))));
  broken.catch(() => {});
  return {
    data: async (bytes: Uint8Array) => {
      if (bytes.byteLength === 0 || request.write(bytes)) return;
      await Promise.race([broken, new Promise((resolve) => request.once("drain", resolve))]);
    },
    end: async () => void request.end(),
  };
}

/** Of a connection, not of a message (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"]);

function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  const headers: [string, string][] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (!HOP_BY_HOP.has(name)) headers.push([name, rawHeaders[i + 1]!]);
  }
  return headers;
}
