import { type FileHandle, open, unlink } from "node:fs/promises";
import type { LayerEntry } from "@mayfly/image";
import { contentOf, type Listed, listed } from "./listing.ts";

/** Of what is written at once, and read. */
const BUFFER_BYTES = 256 * 1024;

/**
 * The files of a tar, end to end in one file that has no name: the tar is read once, as it comes, and each of its files can be read from
 * then on as often as it is wanted. Nothing of it outlives the process, so nothing waits for the disk.
 */
export class SpooledFiles {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #buffered = 0;
  #size = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @param path where nothing is yet, in a folder that is there */
  static async open(path: string): Promise<SpooledFiles> {
    const file = await open(path, "wx+", 0o600);
    await unlink(path);
    return new SpooledFiles(file);
  }

  /** Takes the entries of a tar; `at` of a file is where it begins. @throws what the entries throw */
  async add(entries: AsyncIterable<LayerEntry>): Promise<{ readonly listed: Listed; readonly at: number }[]> {
    const starts: number[] = [];
    const kept = async function* (this: SpooledFiles): AsyncGenerator<LayerEntry> {
      for await (const entry of entries) {
        starts.push(this.#size);
        yield entry.type === "file" ? { ...entry, content: () => this.#kept(contentOf(entry)) } : entry;
      }
    };
    const list = await listed(kept.call(this));
    await this.#flush();
    return list.map((one, at) => ({ listed: one, at: starts[at]! }));
  }

  async *read(at: number, size_bytes: number): AsyncGenerator<Uint8Array> {
    const end = at + size_bytes;
    for (let from = at; from < end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(end - from, BUFFER_BYTES));
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.byteLength, from);
      if (bytesRead === 0) throw new Error(`a spooled file ends at ${from}, ${end - from} bytes early`);
      yield buffer.subarray(0, bytesRead);
      from += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async *#kept(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      for (let from = 0; from < chunk.byteLength; ) {
        const part = chunk.subarray(from, from + BUFFER_BYTES - this.#buffered);
        this.#buffer.set(part, this.#buffered);
        this.#buffered += part.byteLength;
        this.#size += part.byteLength;
        from += part.byteLength;
        if (this.#buffered === BUFFER_BYTES) await this.#flush();
      }
      yield chunk;
    }
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    for (let from = 0; from < bytes.byteLength; )
      from += (await this.#file.write(bytes, from, bytes.byteLength - from)).bytesWritten;
  }
}
