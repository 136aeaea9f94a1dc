import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  readSync,
  renameSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { encodeFrame, type FRAME, FRAME_HEADER_BYTES, type Frame, FrameDecoder } from "@mayfly/contract";

const NEVER = Number.POSITIVE_INFINITY;

/**
 * What a kept box wrote, byte for byte, as frames: DATA and STDERR. It is kept in two files, the second of which begins when the first is
 * full: of a box that writes without end the latest output is there, at least `part_bytes` of it.
 */
export class BoxLog {
  readonly #folder: string;
  readonly #part_bytes: number;
  #fd: number | null;
  /** Places in all that was ever written: where the older file begins, the younger, and where that ends. */
  #first = 0;
  #begin: number;
  #end: number;
  #wake = new Set<() => void>();

  /** Opens what is there, or begins. What a killed worker had half written is cut off. */
  constructor(folder: string, part_bytes: number) {
    this.#folder = folder;
    this.#part_bytes = part_bytes;
    this.#begin = wholeFrames(this.#path("log.old"));
    this.#end = this.#begin + wholeFrames(this.#path("log"));
    this.#fd = openSync(this.#path("log"), "a", 0o600);
  }

  append(type: typeof FRAME.DATA | typeof FRAME.STDERR, bytes: Uint8Array): void {
    if (this.#fd === null || bytes.byteLength === 0) return;
    if (this.#end - this.#begin >= this.#part_bytes) this.#turn();
    writeSync(this.#fd, encodeFrame(type, bytes));
    this.#end += FRAME_HEADER_BYTES + bytes.byteLength;
    this.#notify();
  }

  /**
   * From its beginning; with `until`, it goes on as more is written until that resolves. Who reads more slowly than the box writes loses
   * what is no longer kept.
   */
  async *read(until: Promise<unknown> | null): AsyncGenerator<Frame> {
    let last = until === null ? this.#end : NEVER;
    void until?.then(() => {
      last = this.#end;
      this.#notify();
    });
    for (let at = this.#first; at < last; ) {
      if (at < this.#first) at = this.#first;
      if (at >= this.#end) {
        await new Promise<void>((resolve) => this.#wake.add(resolve));
        continue;
      }
      const [path, from, to] =
        at < this.#begin
          ? [this.#path("log.old"), at - this.#first, this.#begin - this.#first]
          : [this.#path("log"), at - this.#begin, this.#end - this.#begin];
      const decoder = new FrameDecoder();
      // Opened at once: it may have another name, or be gone, a moment later.
      const stream = createReadStream("", { fd: openSync(path, "r"), start: from, end: to - 1 });
      at += to - from;
      for await (const chunk of stream) yield* decoder.push(chunk);
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #turn(): void {
    closeSync(this.#fd!);
    renameSync(this.#path("log"), this.#path("log.old"));
    this.#fd = openSync(this.#path("log"), "a", 0o600);
    this.#first = this.#begin;
    this.#begin = this.#end;
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = new Set();
    for (const wake of waiting) wake();
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

/** How many bytes of a file are whole frames; the rest goes. */
function wholeFrames(path: string): number {
  if (!existsSync(path)) return 0;
  const fd = openSync(path, "r");
  const head = Buffer.alloc(FRAME_HEADER_BYTES);
  let whole = 0;
  try {
    while (readSync(fd, head, 0, FRAME_HEADER_BYTES, whole) === FRAME_HEADER_BYTES) {
      const next = whole + FRAME_HEADER_BYTES + head.readUInt32BE(1);
      if (readSync(fd, head, 0, 1, next - 1) !== 1) break;
      whole = next;
    }
  } finally {
    closeSync(fd);
  }
  truncateSync(path, whole);
  return whole;
}
