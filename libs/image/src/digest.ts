import { createHash } from "node:crypto";
import type { Digest } from "@mayfly/contract";

export const sha256 = (bytes: Uint8Array): Digest =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;

/** The 64 hex digits, as they stand in file names. */
export const hexOf = (digest: Digest): string => digest.slice("sha256:".length);

/** As contract's own schema has it. This package loads none of zod, which alone costs a process 20 MB: it asks often, and knows one form. */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export const isDigest = (value: unknown): value is Digest => typeof value === "string" && DIGEST.test(value);

/** Counts and hashes what passes. */
export class Meter {
  readonly #hash = createHash("sha256");
  size_bytes = 0;

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.size_bytes += chunk.byteLength;
  }

  /** To be asked once, at the end. */
  digest(): Digest {
    return `sha256:${this.#hash.digest("hex")}` as Digest;
  }
}

/** A count alone, where somebody else hashes. */
export interface Count {
  size_bytes: number;
}

export async function* counted(source: AsyncIterable<Uint8Array>, count: Count): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    count.size_bytes += chunk.byteLength;
    yield chunk;
  }
}

export async function* metered(source: AsyncIterable<Uint8Array>, meter: Meter): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    meter.add(chunk);
    yield chunk;
  }
}
