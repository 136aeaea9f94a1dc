import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { LogLine } from "@mayfly/contract";

/** A line that never ends is cut into pieces of this size, so that a line cannot hold the whole cap back. */
const LONGEST_LINE = 16 * 1024;

/** A line weighs at least this much, whatever it holds: a record of a million empty lines would be sixty times its text. */
const LINE_WEIGHT = 64;

/**
 * What a box writes to stdout and stderr, as lines with times, up to `capBytes`. What comes after the cap is counted and
 * thrown away, and reading goes on: a function that floods its log must neither stall nor fill our memory.
 */
export class LogCapture {
  readonly lines: LogLine[] = [];
  #kept = 0;
  #weight = 0;
  #total = 0;
  #open: Promise<void>[] = [];
  readonly #cap: number;
  readonly #nowUs: () => number;

  constructor(capBytes: number, nowUs: () => number) {
    this.#cap = capBytes;
    this.#nowUs = nowUs;
  }

  attach(stream: "stdout" | "stderr", source: Readable): void {
    const decoder = new StringDecoder("utf8");
    let rest = "";
    source.on("data", (chunk: Buffer) => {
      this.#total += chunk.byteLength;
      const room = Math.min(this.#cap - this.#kept, this.#cap - this.#weight);
      if (room <= 0) return;
      const taken = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
      this.#kept += taken.byteLength;
      rest = this.#split(stream, rest + decoder.write(taken));
    });
    this.#open.push(
      new Promise((resolve) => {
        source.once("close", () => {
          rest += decoder.end();
          if (rest !== "") this.#push(stream, rest);
          rest = "";
          resolve();
        });
        source.once("error", () => source.destroy());
      }),
    );
  }

  /** Resolves when both streams are closed: nothing of the log is still on its way. */
  async settled(): Promise<void> {
    await Promise.all(this.#open);
  }

  get totalBytes(): number {
    return this.#total;
  }

  get droppedBytes(): number {
    return this.#total - this.#kept;
  }

  #split(stream: "stdout" | "stderr", text: string): string {
    let from = 0;
    for (let end = text.indexOf("\n", from); end >= 0 && this.#weight < this.#cap; end = text.indexOf("\n", from)) {
      this.#push(stream, text.slice(from, end));
      from = end + 1;
    }
    let rest = text.slice(from);
    if (this.#weight >= this.#cap) {
      this.#kept -= Buffer.byteLength(rest);
      return "";
    }
    while (rest.length > LONGEST_LINE) {
      this.#push(stream, rest.slice(0, LONGEST_LINE));
      rest = rest.slice(LONGEST_LINE);
    }
    return rest;
  }

  #push(stream: "stdout" | "stderr", text: string): void {
    this.#weight += Math.max(LINE_WEIGHT, text.length);
    this.lines.push({ t_us: this.#nowUs(), stream, text });
  }
}
