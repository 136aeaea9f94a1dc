import { type FileHandle, open } from "node:fs/promises";

/**
 * Puts commits on disk without stopping the event loop. A database with synchronous=normal has a commit in its WAL file when it returns,
 * but not on disk; synchronous=full waits for the disk on the thread that commits (sqlite.org/wal.html, section 7). Here a thread of libuv's pool
 * waits, and all that was committed until it begins goes with one sync.
 */
export class WalSync {
  readonly #path: string;
  #file: Promise<FileHandle> | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** @param database its path; this process has it open, so its WAL file stays the same one */
  constructor(database: string) {
    this.#path = `${database}-wal`;
  }

  /** Resolves when every commit before this call is on disk. @throws Error of the disk; what was committed may be lost then */
  written(): Promise<void> {
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  async close(): Promise<void> {
    const file = await this.#file?.catch(() => null);
    await file?.close();
  }

  /** A sync that runs already may have begun before the commit. */
  async #after(running: Promise<void> | undefined): Promise<void> {
    await running?.catch(() => {}); // Who waited for that one has been told.
    this.#running = this.#next;
    this.#next = undefined;
    this.#file ??= open(this.#path, "r");
    const file = await this.#file.catch((error: unknown) => {
      this.#file = undefined;
      throw error;
    });
    await file.datasync();
  }
}
