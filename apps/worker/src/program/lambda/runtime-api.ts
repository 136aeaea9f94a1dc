import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { ErrorFrame } from "@mayfly/contract";
import { readFailure } from "./failure.ts";

/** Where the program in the box finds the API; it is told in its environment. */
export const RUNTIME_API_PORT = 9001;

const KiB = 1024;
/** Lambda's bounds of an answer that is not streamed, and of a failure's text. */
const LONGEST_ANSWER_BYTES = 6 * KiB * KiB + 100;
const LONGEST_FAILURE_BYTES = 64 * KiB;
/** A runtime makes three or four. Work for who asks more is work that nobody is billed for. */
const MOST_REQUESTS = 64;
const MOST_CONNECTIONS = 8;
const HEADERS_WITHIN_MS = 10_000;

/** What the runtime said of its request. */
export type Reply =
  | { readonly kind: "answer"; readonly body: Buffer }
  | { readonly kind: "stream"; readonly body: IncomingMessage }
  | { readonly kind: "failure"; readonly error: ErrorFrame }
  | { readonly kind: "too_large"; readonly limit_bytes: number };

/** A request as the runtime is given it. */
export interface Invocation {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly event: string;
}

/**
 * The Lambda Runtime API (version 2018-06-01) for one box and one invocation. What comes is a stranger's: heads are bounded, one body at a
 * time is read, and whoever asks too often finds nobody there any more.
 */
export class RuntimeApi {
  readonly server: Server;
  /** The runtime asks for its first request; or the failure that it met before that. */
  readonly asked: Promise<ErrorFrame | null>;
  readonly replied: Promise<Reply>;
  /** It asks for another: it is done with its first, after its answer as well. */
  readonly done: Promise<void>;
  #onAsked!: (failure: ErrorFrame | null) => void;
  #onReplied!: (reply: Reply) => void;
  #onDone!: () => void;
  #state: "starting" | "asked" | "given" | "replied" = "starting";
  #waiting: ServerResponse | null = null;
  #id = "";
  #requests = 0;

  constructor() {
    this.asked = new Promise((resolve) => (this.#onAsked = resolve));
    this.replied = new Promise((resolve) => (this.#onReplied = resolve));
    this.done = new Promise((resolve) => (this.#onDone = resolve));
    // An invocation may take its time between two requests on one connection.
    const limits = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: HEADERS_WITHIN_MS };
    this.server = createServer(limits, (request, response) => {
      this.#take(request, response).catch(() => request.destroy());
    });
    this.server.maxConnections = MOST_CONNECTIONS;
  }

  /** Answers the request for a request. Call it once, after `asked`. */
  give({ id, headers, event }: Invocation): void {
    this.#id = id;
    this.#state = "given";
    const own = { "Content-Type": "application/json", "Lambda-Runtime-Aws-Request-Id": id, ...headers };
    this.#waiting?.writeHead(200, own).end(event);
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    if (this.#requests > MOST_REQUESTS) return this.#tooOften();
    const { method, url = "" } = request;
    const [, what] = /^\/2018-06-01\/runtime\/([^?]*)/.exec(url) ?? [];
    if (method === "GET" && what === "invocation/next") return this.#next(response);
    if (method === "POST" && what === "init/error") return this.#initFailed(request, response);
    const [, id, verb] = /^invocation\/([^/]+)\/(response|error)$/.exec(what ?? "") ?? [];
    if (method !== "POST" || !verb) return refuse(response, 404, "InvalidRequest", `there is no ${method} ${url}`);
    if (id !== encodeURIComponent(this.#id) && id !== this.#id)
      return refuse(response, 400, "InvalidRequestID", "this is not the id of the request that was given");
    if (this.#state !== "given") return refuse(response, 403, "InvalidStateTransition", "it has its reply already");
    this.#state = "replied";
    return verb === "error" ? this.#failed(request, response) : this.#answered(request, response);
  }

  #tooOften(): void {
    const message = `it asked the Lambda Runtime API more than ${MOST_REQUESTS} times`;
    this.#onAsked({ code: "bad_response", message });
    this.#onReplied({ kind: "failure", error: { code: "bad_response", message } });
    this.close();
  }

  #next(response: ServerResponse): void {
    if (this.#state === "given") {
      refuse(response, 403, "InvalidStateTransition", "reply to the request that was given first");
    } else if (this.#state === "replied") {
      this.#onDone();
    } else {
      this.#waiting = response;
      this.#state = "asked";
      this.#onAsked(null);
    }
  }

  async #initFailed(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#state !== "starting") return refuse(response, 403, "InvalidStateTransition", "it has started already");
    this.#state = "replied";
    const error = readFailure(request.headers, await whole(request, LONGEST_FAILURE_BYTES));
    accept(response);
    this.#onAsked(error);
  }

  async #failed(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const error = readFailure(request.headers, await whole(request, LONGEST_FAILURE_BYTES));
    accept(response);
    this.#onReplied({ kind: "failure", error });
  }

  async #answered(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const mode = request.headers["lambda-runtime-function-response-mode"];
    if (mode === "streaming") {
      request.once("end", () => accept(response));
      return this.#onReplied({ kind: "stream", body: request });
    }
    if (mode !== undefined) {
      this.#state = "given";
      return refuse(response, 400, "InvalidFunctionResponseMode", `the mode ${JSON.stringify(mode)} is not streaming`);
    }
    // One that broke off may be sent again.
    const body = await whole(request, LONGEST_ANSWER_BYTES).catch((error: unknown) => {
      this.#state = "given";
      throw error;
    });
    if (body === null) {
      refuse(response, 413, "Function.ResponseSizeTooLarge", `an answer is at most ${LONGEST_ANSWER_BYTES} bytes`);
      return this.#onReplied({ kind: "too_large", limit_bytes: LONGEST_ANSWER_BYTES });
    }
    accept(response);
    this.#onReplied({ kind: "answer", body });
  }
}

/** Null: it is longer. @throws when the connection breaks off */
async function whole(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function accept(response: ServerResponse): void {
  response.writeHead(202, { "Content-Type": "application/json" }).end('{"status":"OK"}\n');
}

/** What it may still send is not read. */
function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  response.writeHead(status, { "Content-Type": "application/json", Connection: "close" });
  response.end(`${JSON.stringify({ errorMessage, errorType })}\n`);
}
