import { ImageError } from "../error.ts";
import type { AnswerHeaders } from "./answer.ts";

/**
 * What may go better the next time: a connection that broke, a registry that is busy. Sources of images throw it; whoever fetches
 * from them tries again, and in the end throws an ImageError.
 */
export class Unavailable extends Error {
  override name = "Unavailable";
  /** As long as the registry asked us to wait. */
  readonly wait_ms: number;
  constructor(message: string, options: { readonly wait_ms?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.wait_ms = options.wait_ms ?? 0;
  }

  /** The same, with what was being done before it. */
  during(doing: string): Unavailable {
    return new Unavailable(`${doing}: ${this.message}`, { wait_ms: this.wait_ms, cause: this });
  }
}

/** Statuses of which the next try may know nothing: RFC 9110 §15, and 429 of RFC 6585 §4. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface Refusal {
  /** `pulling registry.example/app:1`. */
  readonly doing: string;
  /** `GET /v2/app/manifests/1`. */
  readonly request: string;
  readonly host: string;
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** The beginning of the body. */
  readonly text: string;
  /** Whether a credential was sent. */
  readonly known: boolean;
}

/** An answer that is none of those that were expected, as an error that says what to do. */
export function refusalError(refusal: Refusal): Unavailable | ImageError {
  const { doing, request, host, status, text, known } = refusal;
  const said = saidBy(text);
  const what = `${doing}: ${host} answered ${request} with ${status}${said ? ` (${said})` : ""}`;
  if (PASSING.has(status)) return new Unavailable(what, { wait_ms: retryAfterMs(refusal.headers.get("retry-after")) });
  if (status === 401) {
    const todo = known ? `the credential for ${host} is not valid` : `give a user and a password for ${host}`;
    return new ImageError("unauthorized", `${what}; ${todo}`);
  }
  if (status === 403) return new ImageError("unauthorized", `${what}; this user may not do that there`);
  if (status === 404) return new ImageError("missing", `${what}; is the name right, and is it there?`);
  return new ImageError("refused", what);
}

/** The registry's own words: the distribution spec's errors, or plain text; on one line, and never much of them. */
function saidBy(text: string): string {
  let said = text;
  try {
    const { errors } = JSON.parse(text) as { errors: { code: unknown; message?: unknown }[] };
    said = errors
      .map(({ code, message }) => [code, message].filter((part) => typeof part === "string").join(": "))
      .join(", ");
  } catch {
    if (/^\s*</.test(text)) return ""; // A page for a browser says nothing here.
  }
  return said
    .replace(/[\s\p{C}]+/gu, " ")
    .trim()
    .slice(0, 300);
}

/** `Retry-After` in either form (RFC 9110 §10.2.3); 0 when there is none. */
export function retryAfterMs(header: string | null, now = Date.now()): number {
  if (header === null) return 0;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const until = Date.parse(header);
  return Number.isNaN(until) ? 0 : Math.max(0, until - now);
}
