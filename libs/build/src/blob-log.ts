import { formatBytes } from "@mayfly/contract";
import type { BlobProgress } from "@mayfly/image";
import type { Records } from "./records.ts";

/** Tells in a step of a build's log which blobs of an image have come. */
export class BlobLog {
  readonly #step: string;
  readonly #records: Records;
  #blobs = 0;
  #bytes = 0;

  constructor(step: string, records: Records) {
    this.#step = step;
    this.#records = records;
  }

  take({ state, digest, size_bytes, reason }: BlobProgress): void {
    if (state === "again") this.#records.log(this.#step, `${digest}: trying again: ${reason}`);
    if (state !== "done") return;
    this.#blobs += 1;
    this.#bytes += size_bytes;
    this.#records.log(this.#step, `${digest} ${formatBytes(size_bytes)}`);
  }

  /** Ends the step. */
  done(): void {
    this.#records.done(this.#step, `${this.#blobs} blobs, ${formatBytes(this.#bytes)}`);
  }
}
