import { formatBytes, type ImageProgress } from "@mayfly/contract";
import { paint } from "../../output.ts";
import { short } from "./path.ts";

const BAR_WIDTH = 30;

/** What moves of an image: one bar for all of it where a person looks at it, and a line for each blob that is done. */
export class MovingBlobs {
  readonly #stream: NodeJS.WriteStream;
  readonly #known = new Map<string, ImageProgress>();
  #hasBar = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(progress: ImageProgress): void {
    this.#known.set(progress.digest, progress);
    const said = lineOf(progress);
    this.#clear();
    if (said !== null) this.#stream.write(`  ${said}\n`);
    if (!this.#stream.isTTY) return;
    this.#stream.write(`  ${this.#bar()}`);
    this.#hasBar = true;
  }

  end(): void {
    this.#clear();
  }

  #clear(): void {
    if (this.#hasBar) this.#stream.write("\r\u001b[K");
    this.#hasBar = false;
  }

  #bar(): string {
    const blobs = [...this.#known.values()];
    const sum = (of: (blob: ImageProgress) => number) => blobs.reduce((total, blob) => total + of(blob), 0);
    const [done, size] = [
      sum((blob) => (isThere(blob) ? blob.size_bytes : blob.done_bytes)),
      sum((blob) => blob.size_bytes),
    ];
    const filled = size === 0 ? BAR_WIDTH : Math.floor((done / size) * BAR_WIDTH);
    const there = `${blobs.filter(isThere).length} of ${blobs.length} blobs`;
    return `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${formatBytes(done)} of ${formatBytes(size)}, ${there}`;
  }
}

const isThere = ({ state }: ImageProgress): boolean => state !== "moving" && state !== "again";

function lineOf({ digest, size_bytes, state, reason }: ImageProgress): string | null {
  const what = `${short(digest)} ${formatBytes(size_bytes)}`;
  if (state === "done") return `${paint("green", "✓")} ${what}`;
  if (state === "present") return `${paint("dim", "=")} ${what} is there already`;
  if (state === "mounted") return `${paint("green", "✓")} ${what} is in another repository there`;
  return state === "again" ? `${paint("red", "↻")} ${what}: trying again: ${reason ?? ""}` : null;
}
