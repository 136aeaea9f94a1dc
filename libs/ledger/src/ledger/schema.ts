import type { Generated, Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Tables of the ledger. `record` is the invocation's record as canonical JSON; the columns beside it are for finding it. */
export interface LedgerTables {
  bill: {
    seq: Generated<number>;
    id: string;
    attempt: number;
    function: string;
    version: number;
    status: string;
    ended_at: string;
    /** Total in pico-units of `currency`. */
    total_pico: bigint | number;
    currency: string;
    record: string;
    prev: string;
    hash: string;
  };
  log: { id: string; attempt: number; ended_at: string; bytes: number; lines: string; dropped_bytes: number };
}

const first: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("bill")
      .addColumn("seq", "integer", (c) => c.primaryKey())
      .addColumn("id", "text", (c) => c.notNull())
      .addColumn("attempt", "integer", (c) => c.notNull())
      .addColumn("function", "text", (c) => c.notNull())
      .addColumn("version", "integer", (c) => c.notNull())
      .addColumn("status", "text", (c) => c.notNull())
      .addColumn("ended_at", "text", (c) => c.notNull())
      .addColumn("total_pico", "integer", (c) => c.notNull())
      .addColumn("currency", "text", (c) => c.notNull())
      .addColumn("record", "text", (c) => c.notNull())
      .addColumn("prev", "text", (c) => c.notNull())
      .addColumn("hash", "text", (c) => c.notNull())
      .addUniqueConstraint("bill_once", ["id", "attempt"])
      .execute();
    await db.schema.createIndex("bill_function").on("bill").columns(["function", "seq"]).execute();
    await db.schema.createIndex("bill_ended").on("bill").column("ended_at").execute();
    await db.schema
      .createTable("log")
      .addColumn("id", "text", (c) => c.notNull())
      .addColumn("attempt", "integer", (c) => c.notNull())
      .addColumn("ended_at", "text", (c) => c.notNull())
      .addColumn("bytes", "integer", (c) => c.notNull())
      .addColumn("lines", "text", (c) => c.notNull())
      .addColumn("dropped_bytes", "integer", (c) => c.notNull())
      .addPrimaryKeyConstraint("log_once", ["id", "attempt"])
      .execute();
  },
};

export const MIGRATIONS: Readonly<Record<string, Migration>> = { "001_bills": first };
