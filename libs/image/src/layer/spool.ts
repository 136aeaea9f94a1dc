import { createReadStream } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { explain } from "../error.ts";
import type { Scratch } from "../scratch.ts";
import { type FileEntry, refused } from "./entry.ts";
import { chunksOf } from "./to-tar.ts";

/** Keeps on disk what streams past, so that entries can be sorted without their contents being in memory. */
export class Spool {
  readonly #path: string;
  #file: FileHandle | null = null;
  #end = 0;

  constructor(scratch: Scratch) {
    this.#path = scratch.path("spool");
  }

  /** Reads the content now; the entry it returns can be read at any time until `remove`. */
  async keep(entry: FileEntry): Promise<FileEntry> {
    const failed = (error: unknown) => Promise.reject(explain(`keeping "${entry.path}" for a layer`, error));
    this.#file ??= await open(this.#path, "wx", 0o600).catch(failed);
    const start = this.#end;
    for await (const chunk of chunksOf(entry)) {
      await this.#file.writeFile(chunk).catch(failed);
      this.#end += chunk.byteLength;
    }
    const size = this.#end - start;
    if (size !== entry.size_bytes) throw refused(entry.path, `${entry.size_bytes} bytes were announced, ${size} came`);
    const { once: _, stored: __, ...attributes } = entry;
    return { ...attributes, content: () => this.#read(start, size) };
  }

  async *#read(start: number, size: number): AsyncGenerator<Uint8Array> {
    if (size > 0) yield* createReadStream(this.#path, { start, end: start + size - 1, highWaterMark: 256 * 1024 });
  }

  async remove(): Promise<void> {
    await this.#file?.close();
    await rm(this.#path, { force: true });
  }
}
