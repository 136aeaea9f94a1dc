import type { IncomingMessage } from "node:http";
import { FIXED_LIMITS, formatBytes } from "@mayfly/contract";
import type { Logger } from "pino";
import { RegistryFault } from "./fault.ts";
import type { Published } from "./published.ts";
import type { RegistryStore } from "./store.ts";

/** One request to the registry, whose key was right. */
export interface RegistryRequest {
  readonly method: string;
  readonly url: URL;
  readonly incoming: IncomingMessage;
  readonly store: RegistryStore;
  readonly published: Published;
  readonly log: Logger;
}

/** A client of which nothing comes for so long is gone. */
const IDLE_MS = 60_000;

export const header = (request: RegistryRequest, name: string): string | null => {
  const value = request.incoming.headers[name];
  return typeof value === "string" ? value : null;
};

/** `Content-Length`; null when the body says nothing of its size. */
export function announcedBytes(request: RegistryRequest): number | null {
  const text = header(request, "content-length");
  return text === null ? null : Number(text);
}

/**
 * The body as it comes, no more than `most` bytes of it.
 * @throws RegistryFault 413 naming the limit; what a broken connection throws
 */
export async function* bodyOf(
  { incoming }: RegistryRequest,
  most: number,
  tooLarge: () => RegistryFault,
): AsyncGenerator<Buffer> {
  const idle = setTimeout(() => incoming.destroy(new Error(`nothing came for ${IDLE_MS / 1000} s`)), IDLE_MS);
  let size = 0;
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      idle.refresh();
      size += chunk.byteLength;
      if (size > most) throw tooLarge();
      yield chunk;
    }
  } finally {
    clearTimeout(idle);
  }
}

/**
 * A blob, or what follows of it. @param already bytes of it that came before
 * @throws RegistryFault 413 at once when more is announced than a blob may have
 */
export function blobBody(
  request: RegistryRequest,
  already: number,
  most = FIXED_LIMITS.blob_bytes,
): AsyncGenerator<Buffer> {
  const tooLarge = () =>
    new RegistryFault("SIZE_INVALID", `a blob has at most ${formatBytes(most)} (${most} bytes)`, { status: 413 });
  if (already + (announcedBytes(request) ?? 0) > most) throw tooLarge();
  return bodyOf(request, most - already, tooLarge);
}
