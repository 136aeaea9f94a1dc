import type { IncomingMessage } from "node:http";
import { ImageError } from "../error.ts";
import { distrustOf } from "./distrust.ts";
import { Unavailable } from "./failure.ts";
import type { Stall } from "./stall.ts";

/** By their names, in lower case; several of one name are one, with commas between. */
export type AnswerHeaders = Pick<Headers, "get">;

/** What a registry sent back. Its body is read once: as chunks, as bytes, or thrown away. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Where the answer came from, after redirects: what a relative `Location` is relative to. */
  readonly url: URL;
  /** Fails with Unavailable when the connection breaks or nothing comes for too long. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** The first `most` bytes. */
  bytes(most: number): Promise<Buffer>;
  discard(): Promise<void>;
}

/** As much of an answer that nobody wants as is read to its end; more of it ends the connection. */
export const DRAINED_BYTES = 64 * 1024;

export function answerOf(message: IncomingMessage, url: URL, stall: Stall, signal: AbortSignal): Answer {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      stall.moved();
      for await (const chunk of message as AsyncIterable<Uint8Array>) {
        stall.rest();
        yield chunk;
        stall.moved();
      }
    } catch (error) {
      throw broken(error, url, signal, stall);
    } finally {
      stall.rest();
    }
  }
  return {
    status: message.statusCode!,
    headers: { get: (name) => message.headers[name]?.toString() ?? null },
    url,
    chunks,
    bytes: (most) => bytesOf(chunks(), most),
    discard: async () => void (await bytesOf(chunks(), DRAINED_BYTES).catch(() => {})),
  };
}

/** The first `most` bytes of a body, which is then given up. */
export async function bytesOf(chunks: AsyncGenerator<Uint8Array>, most: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.byteLength;
    if (size >= most) break;
  }
  return Buffer.concat(parts).subarray(0, most);
}

/** A failure of the connection, unless it was us who ended it or who could not read what was to be sent. */
export function broken(error: unknown, url: URL, signal: AbortSignal, stall: Stall): unknown {
  if (signal.aborted) return signal.reason;
  const cause = (error as { cause?: unknown }).cause ?? error;
  for (const ours of [error, cause]) if (ours instanceof ImageError || ours instanceof Unavailable) return ours;
  const distrust = distrustOf(cause, url);
  if (distrust !== null) return distrust;
  if (stall.signal.aborted) return new Unavailable(`${url.host}: ${stall.message}`, { cause: error });
  const said = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause);
  return new Unavailable(`${url.host}: the connection failed: ${said}`, { cause: error });
}
