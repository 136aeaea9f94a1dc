import type { Answer } from "./answer.ts";
import { Authorizer, type Credential } from "./authorizer.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import { refusalError, Unavailable } from "./failure.ts";
import { HopGuard } from "./hop.ts";
import type { RetryPolicy } from "./retry.ts";
import { type Body, type Method, Wire } from "./wire.ts";

export interface Request {
  readonly method: Method;
  /** A path below the registry, or an address that it gave. */
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** What the token must allow, as `repository:app:pull`. */
  readonly scopes: readonly string[];
  /** Statuses that the caller deals with; any other is an error. */
  readonly expect: readonly number[];
  /** For messages: `pulling registry.example/app:1`. */
  readonly doing: string;
  readonly signal: AbortSignal;
}

const LONGEST_REASON = 4096;

/** One registry: its address, what it wants to see before it answers, and how its refusals are told. */
export class RegistryHost {
  readonly endpoint: Endpoint;
  readonly retry: RetryPolicy;
  readonly #wire: Wire;
  readonly #authorizer: Authorizer;

  constructor(options: {
    readonly host: string;
    readonly insecure: ReadonlySet<string>;
    readonly credential: Credential | null;
    readonly retry: RetryPolicy;
    readonly stall_ms: number;
  }) {
    this.endpoint = endpointOf(options.host, options.insecure);
    this.retry = options.retry;
    this.#wire = new Wire(new HopGuard(this.endpoint, options.insecure), options.stall_ms);
    this.#authorizer = new Authorizer(this.#wire, options.credential);
  }

  /** One request, with a second try when the registry first wants to know who asks. @throws Unavailable, ImageError */
  async send(request: Request): Promise<Answer> {
    const url = new URL(request.url, this.endpoint.origin);
    const first = await this.#authorization(url, request.scopes);
    let answer = await this.#ask(request, url, first);
    if (answer.status === 401 && this.#authorizer.learn(answer.headers, request.scopes, first)) {
      await answer.discard();
      const second = await this.#authorization(url, request.scopes);
      answer = await this.#ask(request, url, second);
    }
    if (request.expect.includes(answer.status)) return answer;
    throw refusalError({
      doing: request.doing,
      request: `${request.method} ${url.pathname}`,
      host: this.endpoint.host,
      status: answer.status,
      headers: answer.headers,
      text: (await answer.bytes(LONGEST_REASON).catch(() => Buffer.alloc(0))).toString("utf8"),
      known: this.#authorizer.known,
    });
  }

  async #ask(request: Request, url: URL, authorization: string | null): Promise<Answer> {
    try {
      return await this.#wire.send({ ...request, url, authorization });
    } catch (error) {
      throw error instanceof Unavailable ? error.during(request.doing) : error;
    }
  }

  /** Only the registry itself learns who we are: an upload may be sent elsewhere. */
  async #authorization(url: URL, scopes: readonly string[]): Promise<string | null> {
    return url.origin === this.endpoint.origin ? this.#authorizer.header(scopes) : null;
  }
}
