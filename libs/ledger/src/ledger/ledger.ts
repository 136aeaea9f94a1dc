import type { InvocationRecord, LedgerEntry, LogLine, OutboxRecord } from "@mayfly/contract";
import { type OpenedDatabase, openDatabase, WalSync } from "@mayfly/sqlite";
import { parsePico } from "../price/money.ts";
import { type ChainBreak, type ChainRow, canonicalJson, chainHash, checkChain, GENESIS } from "./chain.ts";
import { type LedgerTables, MIGRATIONS } from "./schema.ts";

/** An invocation's record as it stands in the ledger: the bill has its place in the chain. */
export type EnteredRecord = Omit<InvocationRecord, "bill"> & {
  bill: InvocationRecord["bill"] & { ledger: LedgerEntry };
};
type InvocationOutbox = Extract<OutboxRecord, { kind: "invocation" }>;

export interface ListFilter {
  readonly function?: string | undefined;
  readonly status?: string | undefined;
  /** RFC 3339; half-open: since ≤ ended_at < until. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Only entries before this sequence number. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface UsageRow {
  readonly function: string;
  readonly day: string;
  readonly currency: string;
  readonly calls: number;
  readonly total_pico: bigint;
}

/** The bills of record. A bill is written once and never changed. */
export class Ledger {
  readonly #opened: OpenedDatabase<LedgerTables>;

  readonly #disk: WalSync;

  private constructor(opened: OpenedDatabase<LedgerTables>, disk: WalSync) {
    this.#opened = opened;
    this.#disk = disk;
  }

  /** @throws Error naming the file when it cannot be used */
  static async open(path: string): Promise<Ledger> {
    const opened = await openDatabase<LedgerTables>({ path, synchronous: "normal", migrations: MIGRATIONS });
    return new Ledger(opened, new WalSync(path));
  }

  /** Enters records in one transaction, and resolves when they are on disk. One that is entered already (same id and attempt) stays as it was. */
  async enter(records: readonly InvocationOutbox[]): Promise<void> {
    const { raw } = this.#opened;
    raw.exec("BEGIN IMMEDIATE");
    try {
      for (const record of records) this.#enterOne(record);
      raw.exec("COMMIT");
    } catch (error) {
      if (raw.isTransaction) raw.exec("ROLLBACK");
      throw error;
    }
    await this.#disk.written();
  }

  /** The latest attempt of an invocation, or null. */
  async invocation(id: string): Promise<EnteredRecord | null> {
    const row = await this.#opened.db
      .selectFrom("bill")
      .selectAll()
      .where("id", "=", id)
      .orderBy("attempt", "desc")
      .executeTakeFirst();
    return row ? toRecord(row) : null;
  }

  /** Newest first. */
  async list(filter: ListFilter): Promise<EnteredRecord[]> {
    let query = this.#opened.db.selectFrom("bill").selectAll().orderBy("seq", "desc").limit(filter.limit);
    if (filter.function !== undefined) query = query.where("function", "=", filter.function);
    if (filter.status !== undefined) query = query.where("status", "=", filter.status);
    if (filter.since !== undefined) query = query.where("ended_at", ">=", filter.since);
    if (filter.until !== undefined) query = query.where("ended_at", "<", filter.until);
    if (filter.before !== undefined) query = query.where("seq", "<", filter.before);
    return (await query.execute()).map(toRecord);
  }

  async log(id: string): Promise<{ lines: LogLine[]; dropped_bytes: number } | null> {
    const row = await this.#opened.db
      .selectFrom("log")
      .selectAll()
      .where("id", "=", id)
      .orderBy("attempt", "desc")
      .executeTakeFirst();
    return row ? { lines: JSON.parse(row.lines), dropped_bytes: row.dropped_bytes } : null;
  }

  /** Sums by function and day; the sum of all of them is the sum of all bills, exactly. */
  async usage(filter: Pick<ListFilter, "function" | "since" | "until">): Promise<UsageRow[]> {
    const rows = this.#opened.raw.prepare(
      `SELECT function, substr(ended_at, 1, 10) AS day, currency, count(*) AS calls, CAST(sum(total_pico) AS TEXT) AS total
       FROM bill WHERE (?1 IS NULL OR function = ?1) AND (?2 IS NULL OR ended_at >= ?2) AND (?3 IS NULL OR ended_at < ?3)
       GROUP BY function, day, currency ORDER BY day, function`,
    );
    const found = rows.all(filter.function ?? null, filter.since ?? null, filter.until ?? null);
    return found.map((row) => ({
      function: String(row.function),
      day: String(row.day),
      currency: String(row.currency),
      calls: Number(row.calls),
      total_pico: BigInt(String(row.total)),
    }));
  }

  /** Walks the chain, and holds the columns that statements are made of against it. Null when it is whole, else where it breaks first. */
  async verifyChain(): Promise<ChainBreak | null> {
    const rows = this.#opened.raw.prepare(
      `SELECT seq, id, attempt, function, version, status, ended_at, CAST(total_pico AS TEXT) AS total_pico, currency, record, prev, hash
       FROM bill ORDER BY seq`,
    );
    return checkChain(rows.iterate() as Iterable<unknown> as Iterable<ChainRow>);
  }

  /** Drops the logs (never the bills) of calls that ended before. */
  async pruneLogs(before: string): Promise<void> {
    await this.#opened.db.deleteFrom("log").where("ended_at", "<", before).execute();
  }

  async close(): Promise<void> {
    await this.#opened.close();
    await this.#disk.close();
  }

  #enterOne({ record, log, log_dropped_bytes }: InvocationOutbox): void {
    const { raw } = this.#opened;
    const known = raw.prepare("SELECT 1 FROM bill WHERE id = ? AND attempt = ?").get(record.id, record.attempt);
    if (known) return;
    const last = raw.prepare("SELECT seq, hash FROM bill ORDER BY seq DESC LIMIT 1").get();
    const prev = last ? String(last.hash) : GENESIS;
    const text = canonicalJson(record);
    raw
      .prepare(
        `INSERT INTO bill (seq, id, attempt, function, version, status, ended_at, total_pico, currency, record, prev, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        last ? Number(last.seq) + 1 : 1,
        record.id,
        record.attempt,
        record.function,
        record.version,
        record.status,
        record.ended_at,
        parsePico(record.bill.total.amount),
        record.bill.total.currency,
        text,
        prev,
        chainHash(prev, text),
      );
    if (log.length === 0 && log_dropped_bytes === 0) return;
    raw
      .prepare(
        "INSERT OR IGNORE INTO log (id, attempt, ended_at, bytes, lines, dropped_bytes) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(
        record.id,
        record.attempt,
        record.ended_at,
        record.bill.usage.log_bytes,
        JSON.stringify(log),
        log_dropped_bytes,
      );
  }
}

function toRecord(row: { seq: number; record: string; prev: string; hash: string }): EnteredRecord {
  const record = JSON.parse(row.record) as InvocationRecord;
  return { ...record, bill: { ...record.bill, ledger: { seq: Number(row.seq), prev: row.prev, hash: row.hash } } };
}
