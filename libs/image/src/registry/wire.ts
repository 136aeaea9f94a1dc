import { ImageError } from "../error.ts";
import { type Answer, answerOf, broken } from "./answer.ts";
import type { HopGuard } from "./hop.ts";
import { send } from "./http.ts";
import { Stall } from "./stall.ts";

export type Method = "GET" | "HEAD" | "POST" | "PATCH" | "PUT";

export interface Body {
  readonly size_bytes: number;
  /** The bytes from the first one on; called again for each time that they must be sent. */
  open(): Uint8Array | AsyncIterable<Uint8Array>;
}

export interface Exchange {
  readonly method: Method;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent to the origin of `url` and to no other. */
  readonly authorization: string | null;
  readonly body?: Body | undefined;
  readonly signal: AbortSignal;
}

const MOST_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** A redirect that a request with a body may follow as it is (RFC 9110 §15.4.8, §15.4.9). */
const KEEPS_METHOD = new Set([307, 308]);

/** HTTP with one registry: redirects that are looked at before they are followed, and an end to every wait. */
export class Wire {
  readonly #guard: HopGuard;
  readonly #stall_ms: number;

  /** @param stall_ms a connection on which nothing moves for so long is given up */
  constructor(guard: HopGuard, stall_ms: number) {
    this.#guard = guard;
    this.#stall_ms = stall_ms;
  }

  /** @throws Unavailable when no answer came; ImageError `refused` for a redirect that must not be followed */
  async send(exchange: Exchange): Promise<Answer> {
    let { url } = exchange;
    for (let hops = 0; ; hops += 1) {
      await this.#guard.check(url);
      const authorization = url.origin === exchange.url.origin ? exchange.authorization : null;
      const answer = await this.#once({ ...exchange, url, authorization });
      const location = redirectOf(answer);
      if (location === null) return answer;
      await answer.discard();
      const reads = exchange.method === "GET" || exchange.method === "HEAD";
      if (hops === MOST_REDIRECTS || (!reads && !KEEPS_METHOD.has(answer.status))) {
        throw new ImageError("refused", `${url.host} redirects ${exchange.method} where it cannot be followed`);
      }
      url = resolved(location, url);
    }
  }

  async #once({ method, url, headers: given, authorization, body, signal }: Exchange): Promise<Answer> {
    signal.throwIfAborted();
    const stall = new Stall(this.#stall_ms);
    try {
      const opened = body?.open() ?? null;
      const isStream = opened !== null && !(opened instanceof Uint8Array);
      const message = await send({
        ...{
          method,
          url,
          body: isStream ? watched(opened, body!.size_bytes, stall) : opened,
          signal: AbortSignal.any([signal, stall.signal]),
        },
        headers: {
          ...given,
          // Bytes as they are stored are asked for: nothing on the way is to pack or unpack them.
          ...{ "accept-encoding": "identity", "user-agent": "mayfly" },
          ...(authorization !== null && { authorization }),
          ...(body && { "content-length": String(body.size_bytes) }),
        },
      });
      const answer = answerOf(message, url, stall, signal);
      // What streams was read: it cannot be sent once more.
      if (!isStream || redirectOf(answer) === null) return answer;
      await answer.discard();
      throw new ImageError("refused", `${url.host} redirects an upload, which is not followed`);
    } catch (error) {
      throw broken(error, url, signal, stall);
    } finally {
      stall.rest();
    }
  }
}

const redirectOf = ({ status, headers }: Answer): string | null =>
  REDIRECTS.has(status) ? headers.get("location") : null;

/** @throws ImageError `refused` for what is no address */
export function resolved(location: string, from: URL): URL {
  if (URL.canParse(location, from.href)) return new URL(location, from);
  const shown = JSON.stringify(location.slice(0, 200));
  throw new ImageError("refused", `${from.host} names an address that is none: ${shown}`);
}

/** What streams, each piece of it a sign of life. @throws Error when it is not as much as was announced */
async function* watched(
  opened: AsyncIterable<Uint8Array>,
  size_bytes: number,
  stall: Stall,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of opened) {
    stall.moved();
    sent += chunk.byteLength;
    yield chunk;
  }
  if (sent !== size_bytes) throw new Error(`${sent} bytes of ${size_bytes} were there to be sent`);
}
