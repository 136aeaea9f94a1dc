import type { Answer } from "./answer.ts";
import { Authorizer } from "./authorizer.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import { refusalError, Unavailable } from "./failure.ts";
import { HopGuard } from "./hop.ts";
import type { Registry, RegistryOptions, Request } from "./registry.ts";
import type { RetryPolicy } from "./retry.ts";
import { Wire } from "./wire.ts";

const LONGEST_REASON = 4096;

/** One registry: its address, what it wants to see before it answers, and how its refusals are told. */
export class RegistryHost implements Registry {
  readonly name: string;
  readonly retry: RetryPolicy;
  readonly #endpoint: Endpoint;
  readonly #wire: Wire;
  readonly #authorizer: Authorizer;

  constructor(options: RegistryOptions) {
    this.name = options.host;
    this.#endpoint = endpointOf(options.host, options.insecure);
    this.retry = options.retry;
    this.#wire = new Wire(new HopGuard(this.#endpoint, options.insecure), options.stall_ms);
    this.#authorizer = new Authorizer(this.#wire, options.credential);
  }

  async send(request: Request): Promise<Answer> {
    const url = new URL(request.url, this.#endpoint.origin);
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
      host: this.#endpoint.host,
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
    return url.origin === this.#endpoint.origin ? this.#authorizer.header(scopes) : null;
  }
}
