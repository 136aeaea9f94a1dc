import { constants, createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Digest } from "@mayfly/contract";
import { hexOf, isDigest, Meter, sha256 } from "../digest.ts";
import { syncDirectory } from "../durable.ts";
import { errno, explain, ImageError } from "../error.ts";
import type { Scratch } from "../scratch.ts";
import type { BlobInfo, BlobStore } from "./blob-store.ts";

const CHUNK_BYTES = 64 * 1024;

/** Blobs as files named `sha256/<hex>`, which is how an OCI image layout names them too. */
export class BlobDirectory implements BlobStore {
  readonly #dir: string;
  readonly #quarantine: string;
  readonly #scratch: Scratch;

  private constructor(dir: string, scratch: Scratch) {
    this.#dir = join(dir, "sha256");
    this.#quarantine = join(dir, "quarantine");
    this.#scratch = scratch;
  }

  static async open(dir: string, scratch: Scratch): Promise<BlobDirectory> {
    await mkdir(join(dir, "sha256"), { recursive: true, mode: 0o700 });
    return new BlobDirectory(dir, scratch);
  }

  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    { expect }: { readonly expect?: Digest } = {},
  ): Promise<BlobInfo> {
    const known = source instanceof Uint8Array ? await this.#sameAs(source) : null;
    if (known !== null && (expect ?? known.digest) === known.digest) return known;
    const temp = this.#scratch.path("blob");
    const meter = new Meter();
    try {
      await this.#copy(source, temp, meter);
      const digest = meter.digest();
      if (expect !== undefined && expect !== digest) throw otherBytes(expect, digest);
      await rename(temp, this.#path(digest)).catch((error) => Promise.reject(explain(`storing ${digest}`, error)));
      await syncDirectory(this.#dir);
      return { digest, size_bytes: meter.size_bytes };
    } catch (error) {
      await rm(temp, { force: true });
      throw error;
    }
  }

  /** Bytes that are here whole are not written again: a document is made anew by everybody who needs it. */
  async #sameAs(bytes: Uint8Array): Promise<BlobInfo | null> {
    const digest = sha256(bytes);
    if (!(await this.has(digest))) return null;
    const is = await this.read(digest, bytes.byteLength).catch(() => null);
    return is && { digest, size_bytes: bytes.byteLength };
  }

  async take(path: string, expect: Digest): Promise<BlobInfo> {
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      const meter = new Meter();
      try {
        // One buffer for the whole file: nobody else sees it, and nothing is left to be collected.
        const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
        for (;;) {
          const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
          if (bytesRead === 0) break;
          meter.add(buffer.subarray(0, bytesRead));
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const digest = meter.digest();
      if (digest !== expect) throw otherBytes(expect, digest);
      await rename(path, this.#path(digest));
      await syncDirectory(this.#dir);
      return { digest, size_bytes: meter.size_bytes };
    } catch (error) {
      throw explain(`storing the file ${path} as ${expect}`, error);
    }
  }

  /** Only the file's own failures are explained: what the source throws is the source's to say. */
  async #copy(source: Uint8Array | AsyncIterable<Uint8Array>, temp: string, meter: Meter): Promise<void> {
    const failed = (error: unknown) => Promise.reject(explain(`writing a blob to ${this.#dir}`, error));
    const file = await open(temp, "wx", 0o600).catch(failed);
    try {
      for await (const chunk of source instanceof Uint8Array ? [source] : source) {
        meter.add(chunk);
        await file.writeFile(chunk).catch(failed);
      }
      await file.sync().catch(failed);
    } finally {
      await file.close();
    }
  }

  open(digest: Digest): Readable {
    return Readable.from(this.#verified(digest), { objectMode: false, highWaterMark: CHUNK_BYTES });
  }

  openRange(digest: Digest, start: number, end: number): Readable {
    return Readable.from(this.#part(digest, start, end), { objectMode: false, highWaterMark: CHUNK_BYTES });
  }

  async *#part(digest: Digest, start: number, end: number): AsyncGenerator<Buffer> {
    const file = await this.#openFile(digest);
    if (end <= start) return file.close();
    yield* createReadStream("", { fd: file, start, end: end - 1, highWaterMark: CHUNK_BYTES });
  }

  async *#verified(digest: Digest): AsyncGenerator<Buffer> {
    const file = await this.#openFile(digest);
    const meter = new Meter();
    for await (const chunk of createReadStream("", { fd: file, highWaterMark: CHUNK_BYTES })) {
      meter.add(chunk);
      yield chunk;
    }
    const found = meter.digest();
    if (found !== digest) {
      throw new ImageError("corrupt", `the blob ${digest} holds the bytes of ${found}; make or pull its image again`);
    }
  }

  async #openFile(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#path(digest), "r");
    } catch (error) {
      if (errno(error) === "ENOENT") throw new ImageError("missing", `the blob ${digest} is not in the store`, error);
      throw explain(`reading the blob ${digest}`, error);
    }
  }

  async read(digest: Digest, maxBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.#verified(digest)) {
      size += chunk.byteLength;
      if (size > maxBytes) throw new ImageError("refused", `the blob ${digest} is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async has(digest: Digest): Promise<boolean> {
    const now = new Date();
    try {
      await utimes(this.#path(digest), now, now);
      return true;
    } catch (error) {
      if (errno(error) === "ENOENT") return false;
      throw explain(`looking for the blob ${digest}`, error);
    }
  }

  async *list(): AsyncGenerator<BlobInfo & { used_at: Date }> {
    for (const name of await readdir(this.#dir)) {
      const digest = `sha256:${name}`;
      if (!isDigest(digest)) continue;
      const found = await this.#stat(this.#path(digest));
      if (found) yield { digest, size_bytes: found.size, used_at: found.mtime };
    }
  }

  /** Out of the way first, and only then looked at: nobody can begin to use it any more. */
  async remove(digest: Digest, unusedSince: Date | null): Promise<boolean> {
    const path = this.#path(digest);
    const grave = this.#scratch.path("removed");
    try {
      await rename(path, grave);
      const found = await this.#stat(grave);
      const isUsed = unusedSince !== null && found !== null && found.mtime >= unusedSince;
      if (isUsed) await rename(grave, path);
      else await rm(grave, { force: true });
      return !isUsed;
    } catch (error) {
      if (errno(error) === "ENOENT") return false;
      throw explain(`removing the blob ${digest}`, error);
    }
  }

  async quarantine(digest: Digest): Promise<void> {
    await mkdir(this.#quarantine, { recursive: true, mode: 0o700 });
    try {
      await rename(this.#path(digest), join(this.#quarantine, hexOf(digest)));
      await syncDirectory(this.#dir);
    } catch (error) {
      if (errno(error) !== "ENOENT") throw explain(`putting the blob ${digest} in quarantine`, error);
    }
  }

  async #stat(path: string) {
    try {
      return await stat(path);
    } catch (error) {
      if (errno(error) === "ENOENT") return null;
      throw explain(`looking at ${path}`, error);
    }
  }

  #path(digest: Digest): string {
    // A digest comes from documents: it must never name another file.
    if (!isDigest(digest)) throw new ImageError("refused", `"${digest}" is no digest like sha256:<64 hex digits>`);
    return join(this.#dir, hexOf(digest));
  }
}

const otherBytes = (expect: Digest, digest: Digest) =>
  new ImageError("refused", `a blob was announced as ${expect} and its bytes are ${digest}; it was not stored`);
