import type { ResponseHead } from "@mayfly/contract";
import { BadResponse } from "../bad-response.ts";

export interface LambdaAnswer {
  readonly head: ResponseHead;
  readonly body: Uint8Array;
}

const DEFAULT_TYPE = "application/json";
/** Statuses whose answer has no body (RFC 9110 §15). */
const WITHOUT_BODY = [204, 205, 304];

/**
 * What a handler returned, as an HTTP answer (payload format 2.0). A value without `statusCode` is itself the body, as JSON.
 * @throws BadResponse naming the member that is no answer's
 */
export function lambdaAnswer(value: unknown): LambdaAnswer {
  if (value === null || typeof value !== "object" || !("statusCode" in value)) {
    const text = JSON.stringify(value) ?? "null";
    return { head: { status: 200, headers: [["content-type", DEFAULT_TYPE]] }, body: Buffer.from(text) };
  }
  const head = preludeHead(value, DEFAULT_TYPE);
  const { body, isBase64Encoded } = value as { body?: unknown; isBase64Encoded?: unknown };
  if (body !== undefined && body !== null && typeof body !== "string")
    throw new BadResponse(`body is ${kindOf(body)}; make it a string: JSON.stringify(value), or Base64`);
  const bytes = Buffer.from(body ?? "", isBase64Encoded === true ? "base64" : "utf8");
  return { head, body: WITHOUT_BODY.includes(head.status) ? Buffer.alloc(0) : bytes };
}

/**
 * `statusCode`, `headers` and `cookies` as a head: of an answer, or of what precedes a streamed one.
 * @param type when the headers name none. @throws BadResponse naming the member that is no head's
 */
export function preludeHead(value: unknown, type: string): ResponseHead {
  const { statusCode = 200, headers, cookies } = (value ?? {}) as Record<string, unknown>;
  const status = typeof statusCode === "string" && /^\d{3}$/.test(statusCode) ? Number(statusCode) : statusCode;
  if (!Number.isInteger(status) || (status as number) < 200 || (status as number) > 599)
    throw new BadResponse(`statusCode is ${JSON.stringify(statusCode)}; it must be a number from 200 to 599`);
  const pairs = [...headersOf(headers), ...cookiesOf(cookies)];
  if (!pairs.some(([name]) => name === "content-type")) pairs.unshift(["content-type", type]);
  return { status: status as number, headers: pairs };
}

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

function headersOf(headers: unknown): [string, string][] {
  if (headers === undefined || headers === null) return [];
  if (typeof headers !== "object" || Array.isArray(headers))
    throw new BadResponse(`headers is ${kindOf(headers)}; it must be an object of strings`);
  return Object.entries(headers).map(([key, value]) => {
    const name = key.toLowerCase();
    if (!NAME.test(name)) throw new BadResponse(`headers has a name that is none: ${JSON.stringify(key)}`);
    if (!["string", "number", "boolean"].includes(typeof value))
      throw new BadResponse(`headers[${JSON.stringify(key)}] is ${kindOf(value)}; it must be a string`);
    return [name, checked(String(value), name)];
  });
}

function cookiesOf(cookies: unknown): [string, string][] {
  if (cookies === undefined || cookies === null) return [];
  if (!Array.isArray(cookies) || cookies.some((cookie) => typeof cookie !== "string"))
    throw new BadResponse("cookies must be an array of strings, each a Set-Cookie header's value");
  return cookies.map((cookie: string) => ["set-cookie", checked(cookie, "set-cookie")]);
}

/** RFC 9110 §5.5. */
function checked(value: string, name: string): string {
  if (/[\0-\x08\x0a-\x1f\x7f]|[^\0-\xff]/.test(value))
    throw new BadResponse(`the header ${name} holds a character that no header may: ${JSON.stringify(value)}`);
  return value;
}

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : `of type ${typeof value}`;
