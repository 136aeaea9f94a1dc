import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Headers } from "@mayfly/contract";
import type { CallTarget } from "./target.ts";

/** Of a connection, not of a message (RFC 9110 §7.6.1); and what we say ourselves. */
const DROPPED = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-prefix",
]);
/** Answers of a function cannot claim these: they are the platform's. */
const OURS = /^(mayfly-|x-mayfly-)/;

/**
 * The request's headers as the function sees them: order and repetition kept, names in lower case. A function's own credentials pass;
 * Mayfly's key (`trusted`) does not: who wrote the function need not be who may deploy others.
 */
export function requestHeaders(
  request: IncomingMessage,
  target: CallTarget,
  scheme: string,
  trusted: boolean,
): Headers {
  const named = new Set((request.headers.connection ?? "").toLowerCase().split(/\s*,\s*/));
  const headers: [string, string][] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!.toLowerCase();
    if (DROPPED.has(name) || named.has(name) || name === "x-forwarded-for") continue;
    if (trusted && name === "authorization") continue;
    headers.push([name, request.rawHeaders[i + 1]!]);
  }
  const forwarded = [request.headers["x-forwarded-for"], request.socket.remoteAddress]
    .flat()
    .filter(Boolean)
    .join(", ");
  headers.push(
    ["x-forwarded-for", forwarded],
    ["x-forwarded-host", request.headers.host ?? ""],
    ["x-forwarded-proto", scheme],
  );
  headers.push(["x-forwarded-prefix", target.prefix]);
  if (!request.headers.traceparent) {
    headers.push(["traceparent", `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-00`]);
  }
  return headers;
}

/** The function's headers and ours, as writeHead takes them; and the timing that the worker measured. */
export function responseHeaders(headers: Headers, ours: readonly (readonly [string, string])[]): string[] {
  const timing = headers.find(([name]) => name === "x-mayfly-timing")?.[1];
  const lengths = headers.filter(([name]) => name === "content-length");
  const theirs = headers.filter(([name, value]) => {
    // Two lengths, or one that is none, would let an answer run into the next one on the same connection.
    if (name === "content-length" && (lengths.length > 1 || !/^\d{1,15}$/.test(value))) return false;
    return !OURS.test(name) && !DROPPED.has(name) && isHeader(name, value);
  });
  return [...theirs, ...ours, ...(timing ? [["server-timing", timing] as const] : [])].flat();
}

const isHeader = (name: string, value: string): boolean =>
  /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && !/[^\t\x20-\x7e\x80-\xff]/.test(value);
