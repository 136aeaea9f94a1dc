import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** What is done to one request on its way to a registry. */
export type Treatment =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The connection breaks after so many bytes of the request's body, or of the answer's. */
  | { readonly kind: "cut-request" | "cut-answer"; readonly after_bytes: number }
  /** One bit of the answer's body is another. */
  | { readonly kind: "flip" };

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  status: number;
  /** Of the request's body, as far as it was passed on. */
  sent_bytes: number;
}

/** A proxy before a registry that remembers every request and can get in the way of some. */
export interface Front {
  readonly host: string;
  readonly seen: Seen[];
  /** Asked for each request; undefined lets it pass. */
  treat: (request: Seen) => Treatment | undefined;
  count(method: string, url: RegExp): number;
  close(): void;
}

export async function startFront(registry: string): Promise<Front> {
  const server = createServer((request, response) => {
    const seen: Seen = {
      method: request.method!,
      url: request.url!,
      headers: request.headers,
      status: 0,
      sent_bytes: 0,
    };
    front.seen.push(seen);
    pass(request, response, seen, front.treat(seen), registry);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const front: Front = {
    host: `127.0.0.1:${(server.address() as { port: number }).port}`,
    seen: [],
    treat: () => undefined,
    count: (method, url) => front.seen.filter((one) => one.method === method && url.test(one.url)).length,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return front;
}

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  seen: Seen,
  treatment: Treatment | undefined,
  registry: string,
): void {
  const cut = () => {
    request.destroy();
    response.destroy();
  };
  if (treatment?.kind === "answer") {
    seen.status = treatment.status;
    request.resume();
    response.writeHead(treatment.status, treatment.headers).end(treatment.body ?? "");
    return;
  }
  const [host, port] = registry.split(":") as [string, string];
  const { method, url: path, headers } = request;
  const onward = httpRequest({ host, port, method: method!, path: path!, headers, agent: false });
  onward.on("response", (answer) => {
    if (treatment?.kind === "cut-request") return cut();
    seen.status = answer.statusCode!;
    response.writeHead(answer.statusCode!, answer.headers);
    pipeline(answer, treated(treatment), response, (error) => error && cut());
  });
  const counted = async function* (body: AsyncIterable<Buffer>) {
    for await (const chunk of body) {
      yield chunk;
      seen.sent_bytes += chunk.byteLength;
      if (treatment?.kind !== "cut-request" || seen.sent_bytes < treatment.after_bytes) continue;
      // What was passed on is to arrive before the connection goes.
      await sleep(100);
      throw new Error("cut");
    }
  };
  pipeline(request, counted, onward, (error) => error && cut());
}

const treated = (treatment: Treatment | undefined) =>
  async function* (body: AsyncIterable<Buffer>) {
    let received = 0;
    for await (const chunk of body) {
      if (treatment?.kind === "flip" && received === 0) chunk[chunk.length - 1]! ^= 1;
      yield chunk;
      received += chunk.byteLength;
      if (treatment?.kind !== "cut-answer" || received < treatment.after_bytes) continue;
      await sleep(100);
      throw new Error("cut");
    }
  };
