import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { type Digest, Fault, FIXED_LIMITS, formatBytes } from "@mayfly/contract";
import { SNIFF_BYTES } from "./source-kind.ts";

export interface Upload {
  readonly path: string;
  readonly digest: Digest;
  readonly size_bytes: number;
  /** The first bytes, to know what it is. */
  readonly first: Buffer;
}

/**
 * Writes a body of `most` bytes to a file while it comes, counting what really arrives. Nothing is kept of one that is too large or breaks off.
 * @throws Fault body_too_large naming limit and size; bad_request when nothing comes for `idleMs`
 */
export async function spoolUpload(body: Readable, path: string, most: number, idleMs = IDLE_MS): Promise<Upload> {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  let first = Buffer.alloc(0);
  let size = 0;
  const idle = setTimeout(() => body.destroy(stuck(idleMs)), idleMs);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      idle.refresh();
      size += chunk.byteLength;
      if (size > most) {
        // A client that is still sending reads no answer: what else it sends is taken, within bounds, and thrown away.
        if (size > most + DRAINED_BYTES) throw tooLarge(size, most);
        continue;
      }
      if (first.byteLength < SNIFF_BYTES) first = Buffer.concat([first, chunk]).subarray(0, SNIFF_BYTES);
      hash.update(chunk);
      await file.write(chunk);
    }
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  } finally {
    clearTimeout(idle);
  }
  await file.close();
  if (size > most) {
    await rm(path, { force: true });
    throw tooLarge(size, most);
  }
  return { path, digest: `sha256:${hash.digest("hex")}` as Digest, size_bytes: size, first };
}

const DRAINED_BYTES = 512 * 1024 * 1024;
/** A client of which nothing comes for so long holds a connection and a file for nothing. */
const IDLE_MS = 30_000;

const stuck = (ms: number) => new Fault("bad_request", { detail: `nothing of the source came for ${ms / 1000} s` });

export const tooLarge = (size: number, most: number) =>
  new Fault("body_too_large", {
    detail: `the source is ${size} bytes or more, the limit is ${most} (${formatBytes(most)})`,
    hint:
      most === FIXED_LIMITS.context_bytes
        ? "leave out what the Dockerfile does not copy: .dockerignore"
        : "leave out what the function does not need (node_modules, .git, assets), or build its image first: mayfly build -t",
    extra: { limit_bytes: most, size_bytes: size },
  });
