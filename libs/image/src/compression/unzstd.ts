import { pipeline } from "node:stream";
import { createZstdDecompress } from "node:zlib";

/**
 * Unpacks zstd of any number of frames. Node's stream ends with the first frame that ends inside of a chunk and forgets what comes behind
 * it, while zstd:chunked layers have a frame for each file: what a stream has not taken goes into another one.
 */
export async function* unzstd(source: AsyncIterable<Uint8Array>, chunkSize: number): AsyncGenerator<Uint8Array> {
  const input = source[Symbol.asyncIterator]();
  try {
    let left: readonly Uint8Array[] = [];
    for (;;) {
      const feed = new Feed(left, input);
      if (await feed.isEmpty()) return;
      const stream = createZstdDecompress({ chunkSize });
      pipeline(
        feed.chunks(() => stream.bytesWritten),
        stream,
        () => {},
      ); // Its error comes out of the stream that is read.
      for await (const chunk of stream) yield chunk as Uint8Array;
      left = feed.behind(stream.bytesWritten);
    }
  } finally {
    await input.return?.();
  }
}

/** Hands out chunks and remembers those that were not taken yet. */
class Feed {
  readonly #input: AsyncIterator<Uint8Array>;
  readonly #given: Uint8Array[] = [];
  /** Bytes of chunks that were given and taken as a whole. */
  #forgotten = 0;
  #waiting: Uint8Array[];

  constructor(left: readonly Uint8Array[], input: AsyncIterator<Uint8Array>) {
    this.#waiting = [...left];
    this.#input = input;
  }

  async isEmpty(): Promise<boolean> {
    return !(await this.#ahead());
  }

  async *chunks(taken: () => number): AsyncGenerator<Uint8Array> {
    while (await this.#ahead()) {
      while (this.#given[0] && this.#forgotten + this.#given[0].byteLength <= taken()) {
        this.#forgotten += this.#given.shift()!.byteLength;
      }
      const chunk = this.#waiting.shift()!;
      this.#given.push(chunk);
      yield chunk;
    }
  }

  async #ahead(): Promise<boolean> {
    while (this.#waiting.length === 0) {
      const next = await this.#input.next();
      if (next.done) return false;
      if (next.value.byteLength > 0) this.#waiting.push(next.value);
    }
    return true;
  }

  behind(taken: number): Uint8Array[] {
    let skip = taken - this.#forgotten;
    const left = [...this.#given, ...this.#waiting].map((chunk) => {
      const rest = chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.byteLength);
      return rest;
    });
    return left.filter((chunk) => chunk.byteLength > 0);
  }
}
