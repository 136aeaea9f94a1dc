import { ImageError, type ImageErrorReason } from "../../error.ts";
import type { Credential } from "../authorizer.ts";
import { Unavailable } from "../failure.ts";
import type { Method } from "../wire.ts";

/**
 * What goes over a lane, one exchange after the other:
 *
 *   us      RECORD Ask | (for each GO) DATA… END
 *   courier GO: the body is wanted, from its beginning | HEAD Head, DATA…, END | ERROR Trouble
 *
 * A body that was begun is sent to its end, and the courier has read it when it says END or ERROR.
 */
export interface Ask {
  readonly registry: {
    readonly host: string;
    readonly insecure: readonly string[];
    readonly credential: Credential | null;
    readonly stall_ms: number;
  };
  readonly method: Method;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `whole`: it is small, and may be sent on where a registry redirects it. */
  readonly body: { readonly size_bytes: number; readonly whole: boolean } | null;
  readonly scopes: readonly string[];
  readonly expect: readonly number[];
  readonly doing: string;
}

export interface Head {
  readonly status: number;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** The headers of an answer that anybody looks at. */
export const SHOWN = [
  "content-range",
  "content-type",
  "docker-content-digest",
  "location",
  "oci-chunk-min-length",
  "range",
] as const;

/** @throws ImageError `io` for what is none: the courier is not believed either */
export function readHead(value: unknown): Head {
  const { status, url, headers } = (value ?? {}) as Partial<Record<keyof Head, unknown>>;
  const isPair = (pair: unknown): pair is [string, string] =>
    Array.isArray(pair) && (SHOWN as readonly unknown[]).includes(pair[0]) && typeof pair[1] === "string";
  if (Number.isInteger(status) && typeof url === "string" && URL.canParse(url)) {
    if (Array.isArray(headers) && headers.every(isPair)) return { status: status as number, url, headers };
  }
  throw new ImageError("io", "the courier said what is no answer");
}

export type Trouble =
  | { readonly kind: "unavailable"; readonly message: string; readonly wait_ms: number }
  | { readonly kind: "image"; readonly message: string; readonly reason: ImageErrorReason };

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Unavailable) return { kind: "unavailable", message: error.message, wait_ms: error.wait_ms };
  if (error instanceof ImageError) return { kind: "image", message: error.message, reason: error.reason };
  return { kind: "image", message: error instanceof Error ? error.message : String(error), reason: "io" };
}

/** What speaking with a registry can come to; the store's own reasons are not the courier's to give. */
const REASONS: ReadonlySet<unknown> = new Set<ImageErrorReason>([
  ...(["missing", "corrupt", "refused", "unsupported", "unauthorized", "unavailable"] as const),
]);

export function readTrouble(value: unknown): Unavailable | ImageError {
  const { kind, message, reason, wait_ms } = (value ?? {}) as Record<string, unknown>;
  const said = typeof message === "string" ? message : "the courier does not say what is wrong";
  if (kind === "unavailable") return new Unavailable(said, { wait_ms: typeof wait_ms === "number" ? wait_ms : 0 });
  return new ImageError(REASONS.has(reason) ? (reason as ImageErrorReason) : "io", said);
}
