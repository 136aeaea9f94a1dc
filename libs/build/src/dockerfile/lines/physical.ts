import { DockerfileError } from "../source/failure.ts";

/** Go's bufio.MaxScanTokenSize - 1: what BuildKit reads a line into. */
const LONGEST_LINE_BYTES = 65_535;

/** The lines of a file, each with its line end, read one after the other; numbers count from 1. */
export class PhysicalLines {
  readonly #lines: readonly string[];
  #read = 0;

  constructor(source: string) {
    const lines = source.replace(/^\uFEFF/, "").split(/(?<=\n)/);
    this.#lines = lines.length === 1 && lines[0] === "" ? [] : lines;
  }

  /** Number of the line that was read last; 0 before the first. */
  get number(): number {
    return this.#read;
  }

  /** The next line with its line end; undefined when there is none. @throws DockerfileError for a line that is too long */
  next(): string | undefined {
    const line = this.#lines[this.#read];
    if (line === undefined) return undefined;
    this.#read++;
    const content = line.endsWith("\n") ? line.slice(0, -1) : line;
    if (content.length > LONGEST_LINE_BYTES / 3 && Buffer.byteLength(content) > LONGEST_LINE_BYTES) {
      const start = { line: this.#read, column: 1 };
      throw new DockerfileError(`dockerfile line greater than max allowed size of ${LONGEST_LINE_BYTES}`, {
        start,
        end: { line: this.#read, column: content.length + 1 },
      });
    }
    return line;
  }
}

export const withoutLineEnd = (line: string): string => line.replace(/[\r\n]+$/, "");
