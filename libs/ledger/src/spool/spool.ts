import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { OutboxRecord } from "@mayfly/contract";
import { openRaw, WalSync } from "@mayfly/sqlite";

/** A worker's outbox: what must reach the ledger and the catalog, whatever dies. */
export interface Spool {
  /**
   * Resolves when the record is on disk. Records put in one turn of the event loop share one commit, and the event loop does not wait.
   * Putting what is there already (same kind, id, attempt) changes nothing.
   * @throws Error when the disk refuses: the caller must not report its work as done
   */
  put(record: OutboxRecord): Promise<void>;
  /** The oldest that were not acknowledged, in the order of their coming. */
  pending(limit: number): { readonly seq: number; readonly record: OutboxRecord }[];
  /** They have arrived: forget them. */
  acknowledge(seqs: readonly number[]): void;
  close(): Promise<void>;
}

interface Waiting {
  readonly record: OutboxRecord;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A file that cannot be read is never replaced by an empty one: it may hold bills that are nowhere else, and moving it is a person's decision.
 * @throws Error naming the file when it cannot be opened, and what to do
 */
export async function openSpool(dir: string): Promise<Spool> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, "outbox.sqlite");
  try {
    return new SqliteSpool(openRaw(path, "normal"), new WalSync(path));
  } catch (cause) {
    const advice = `move ${path} aside to go on without it; sqlite3's .recover may still read the bills in it`;
    throw new Error(`the spool cannot be opened: ${(cause as Error).message}; ${advice}`, { cause });
  }
}

class SqliteSpool implements Spool {
  readonly #raw: DatabaseSync;
  readonly #disk: WalSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  #waiting: Waiting[] = [];

  constructor(raw: DatabaseSync, disk: WalSync) {
    this.#raw = raw;
    this.#disk = disk;
    raw.exec(
      "CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT",
    );
    this.#insert = raw.prepare("INSERT OR IGNORE INTO outbox (key, json) VALUES (?, ?)");
    this.#remove = raw.prepare("DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?))");
  }

  put(record: OutboxRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#commit());
    });
  }

  pending(limit: number): { seq: number; record: OutboxRecord }[] {
    const rows = this.#raw.prepare("SELECT seq, json FROM outbox ORDER BY seq LIMIT ?").all(limit) as {
      seq: number;
      json: string;
    }[];
    return rows.map(({ seq, json }) => ({ seq, record: OutboxRecord.parse(JSON.parse(json)) }));
  }

  acknowledge(seqs: readonly number[]): void {
    // Nobody waits for the disk: what a power cut brings back is sent again, and taken once.
    this.#remove.run(JSON.stringify(seqs));
  }

  async close(): Promise<void> {
    await this.#commit();
    this.#raw.close();
    await this.#disk.close();
  }

  async #commit(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    try {
      this.#raw.exec("BEGIN IMMEDIATE");
      for (const { record } of batch) this.#insert.run(keyOf(record), JSON.stringify(record));
      this.#raw.exec("COMMIT");
      await this.#disk.written();
    } catch (error) {
      for (const { reject } of batch) reject(error);
      this.#rollBack();
      return;
    }
    for (const { resolve } of batch) resolve();
  }

  /** What a full disk left half done. Who put has been told already, so nothing here may throw. */
  #rollBack(): void {
    try {
      this.#raw.exec("ROLLBACK");
    } catch {
      // There was no transaction, or the file is closed.
    }
  }
}

const keyOf = (record: OutboxRecord): string =>
  record.kind === "invocation" ? `${record.record.id}/${record.record.attempt}` : record.result.build;
