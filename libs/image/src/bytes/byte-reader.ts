/** Takes a stream of chunks apart at places of our choosing. Bytes are handed on as they came wherever that is possible. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** One to `most` bytes, or null at the end. They are valid for as long as the caller likes. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.#at === this.#chunk.byteLength) {
      const next = await this.#source.next();
      if (next.done) return null;
      this.#chunk = next.value;
      this.#at = 0;
    }
    const bytes = this.#chunk.subarray(this.#at, this.#at + most);
    this.#at += bytes.byteLength;
    return bytes;
  }

  /** `length` bytes; null at the end, or the fewer ones that were left before it. */
  async exactly(length: number): Promise<Buffer | null> {
    const first = await this.some(length);
    if (first === null) return null;
    if (first.byteLength === length) return asBuffer(first);
    const parts = [first];
    for (let missing = length - first.byteLength; missing > 0; ) {
      const part = await this.some(missing);
      if (part === null) break;
      parts.push(part);
      missing -= part.byteLength;
    }
    return Buffer.concat(parts);
  }

  /** The next bytes without taking them, at most `most`; fewer only at the end. */
  async peek(most: number): Promise<Buffer> {
    const bytes = (await this.exactly(most)) ?? Buffer.alloc(0);
    this.#chunk = Buffer.concat([bytes, this.#chunk.subarray(this.#at)]);
    this.#at = 0;
    return bytes;
  }

  /** All that is left. Ends the source when it is left early. */
  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      for (let part = await this.some(Infinity); part !== null; part = await this.some(Infinity)) yield part;
    } finally {
      await this.close();
    }
  }

  /** Tells the source that nothing more is wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
