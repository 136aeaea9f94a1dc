import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { RegistryIndex } from "@mayfly/catalog";

/** A chunk has not as many bytes as it said. */
export class SizeMismatch extends Error {
  constructor(announced: number, came: number) {
    super(`${announced} bytes were announced and ${came} came`);
  }
}

/** The upload has ended while the request stood in line. */
export class UploadOver extends Error {}

/** A chunk does not start where the one before it ended. */
export class OutOfOrder extends Error {
  readonly size_bytes: number;
  constructor(size_bytes: number) {
    super(`the upload has ${size_bytes} bytes`);
    this.size_bytes = size_bytes;
  }
}

export interface Chunk {
  readonly body: AsyncIterable<Uint8Array>;
  /** Where it says that it starts; null: behind what is there. */
  readonly start: number | null;
  /** As many bytes as it says that it has; null: until it ends. */
  readonly length: number | null;
  /** Ends the body at once: a later request has taken the upload over. */
  cut(): void;
}

interface Work {
  readonly cut: () => void;
  readonly done: Promise<unknown>;
}

/**
 * Uploads that have begun, each a file that grows. What arrived before a connection broke stays, so that the rest can follow; a new
 * request on an upload takes it over from an old one, whose client has gone without our noticing yet.
 */
export class Uploads {
  readonly #dir: string;
  readonly #index: RegistryIndex;
  readonly #working = new Map<string, Work>();

  private constructor(dir: string, index: RegistryIndex) {
    this.#dir = dir;
    this.#index = index;
  }

  static async open(dir: string, index: RegistryIndex): Promise<Uploads> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return new Uploads(dir, index);
  }

  async begin(repository: string): Promise<string> {
    const id = randomUUID();
    await (await open(this.#path(id), "wx", 0o600)).close();
    await this.#index.beginUpload(id, repository, Date.now());
    return id;
  }

  /** Bytes that an upload of this repository has; null: there is no such upload. */
  async size(repository: string, id: string): Promise<number | null> {
    if (!(await this.#index.hasUpload(id, repository))) return null;
    return (await this.#stat(id))?.size ?? null;
  }

  /** @returns its bytes now. @throws OutOfOrder; SizeMismatch, then the chunk is taken back; what the body threw, then it is not */
  append(id: string, chunk: Chunk): Promise<number> {
    return this.#alone(id, chunk.cut, async () => {
      const before = await this.#sizeOf(id);
      if (chunk.start !== null && chunk.start !== before) throw new OutOfOrder(before);
      let size = before;
      const file = await open(this.#path(id), "a");
      try {
        for await (const bytes of chunk.body) {
          await file.writeFile(bytes);
          size += bytes.byteLength;
        }
      } finally {
        await file.close();
      }
      if (chunk.length === null || size - before === chunk.length) return size;
      await truncate(this.#path(id), before);
      throw new SizeMismatch(chunk.length, size - before);
    });
  }

  /** Gives the file away to `take`, which moves it or not; the upload is over either way. */
  finish<T>(id: string, take: (path: string) => Promise<T>): Promise<T> {
    return this.#alone(
      id,
      () => {},
      async () => {
        await this.#sizeOf(id);
        try {
          return await take(this.#path(id));
        } finally {
          await this.#forget(id);
        }
      },
    );
  }

  cancel(id: string): Promise<void> {
    return this.#alone(
      id,
      () => {},
      () => this.#forget(id),
    );
  }

  /** Forgets uploads to which nothing was added since a time, and files that belong to none. */
  async sweep(before: Date): Promise<void> {
    const isOld = async (id: string) => ((await this.#stat(id))?.mtime ?? new Date(0)) < before;
    for (const id of new Set([...(await this.#index.uploads()), ...(await readdir(this.#dir))])) {
      if (!this.#working.has(id) && (await isOld(id))) await this.cancel(id);
    }
  }

  async #forget(id: string): Promise<void> {
    await this.#index.endUpload(id);
    await rm(this.#path(id), { force: true });
  }

  /** One at a time for each upload; whoever was at it is cut and waited for. */
  async #alone<T>(id: string, cut: () => void, work: () => Promise<T>): Promise<T> {
    for (let other = this.#working.get(id); other; other = this.#working.get(id)) {
      other.cut();
      await other.done;
    }
    const running = work();
    this.#working.set(id, { cut, done: running.catch(() => {}) });
    try {
      return await running;
    } finally {
      this.#working.delete(id);
    }
  }

  async #sizeOf(id: string): Promise<number> {
    const found = await this.#stat(id);
    if (!found) throw new UploadOver();
    return found.size;
  }

  async #stat(id: string) {
    return stat(this.#path(id)).catch(() => null);
  }

  #path = (id: string) => join(this.#dir, id);
}
