import type { IncomingMessage } from "node:http";
import { Fault, formatBytes } from "@mayfly/contract";

const LIMIT_BYTES = 256 * 1024;

/** A small JSON object in a request's body; null when the body is empty. @throws Fault body_too_large, bad_request */
export async function jsonBody(request: IncomingMessage): Promise<Record<string, unknown> | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.byteLength;
    if (size > LIMIT_BYTES) {
      throw new Fault("body_too_large", {
        detail: `the body is over ${formatBytes(LIMIT_BYTES)}: ${size} bytes had come when it was stopped`,
        extra: { limit_bytes: LIMIT_BYTES },
      });
    }
    chunks.push(chunk);
  }
  if (size === 0) return null;
  const value = parse(Buffer.concat(chunks).toString("utf8"));
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new Fault("bad_request", { detail: "the body is no JSON object" });
  return value as Record<string, unknown>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault("bad_request", { detail: `the body is no JSON: ${(error as Error).message}` });
  }
}
