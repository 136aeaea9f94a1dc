import type { Answer } from "./answer.ts";
import type { Credential } from "./authorizer.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Body, Method } from "./wire.ts";

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

/** One registry, as whoever pulls and pushes sees it. */
export interface Registry {
  /** `host[:port]`, as it stands in references. */
  readonly name: string;
  readonly retry: RetryPolicy;
  /** One request, with a second try when the registry first wants to know who asks. @throws Unavailable, ImageError */
  send(request: Request): Promise<Answer>;
}

/** How one registry is spoken to. */
export interface RegistryOptions {
  readonly host: string;
  /** Hosts that are spoken to in plain HTTP. */
  readonly insecure: ReadonlySet<string>;
  readonly credential: Credential | null;
  readonly retry: RetryPolicy;
  /** A connection on which nothing moves for so long is given up. */
  readonly stall_ms: number;
}
