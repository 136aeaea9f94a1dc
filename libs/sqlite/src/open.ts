import { chmodSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { nodeSqliteDialect } from "./dialect.ts";

export interface OpenOptions {
  readonly path: string;
  /** `full`: a commit is on disk when it returns (bills). `normal`: a power cut may lose the last commits, never the file. */
  readonly synchronous: "full" | "normal";
  /** By name, in the order of their names; a migration that was applied is never changed. */
  readonly migrations: Readonly<Record<string, Migration>>;
}

export interface OpenedDatabase<DB> {
  readonly db: Kysely<DB>;
  /** The same connection for prepared statements on hot paths. */
  readonly raw: DatabaseSync;
  close(): Promise<void>;
}

/**
 * Opens (or makes) a SQLite file in WAL mode, private to its user, and brings its tables up to date.
 * @throws Error naming the file when it is no database, or was written by a newer version of us
 */
export async function openDatabase<DB>(options: OpenOptions): Promise<OpenedDatabase<DB>> {
  const raw = openRaw(options.path, options.synchronous);
  const db = new Kysely<DB>({ dialect: nodeSqliteDialect(raw) });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...options.migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error) {
    await db.destroy();
    const reason = error instanceof Error ? error.message : String(error);
    const newer = /corrupted migrations|missing/.test(reason) ? "; it was written by a newer version of Mayfly" : "";
    throw new Error(`${options.path}: its tables cannot be brought up to date: ${reason}${newer}`, { cause: error });
  }
  return { db, raw, close: () => db.destroy() };
}

/** @throws Error naming the file when it is no database */
export function openRaw(path: string, synchronous: "full" | "normal"): DatabaseSync {
  const raw = new DatabaseSync(path);
  try {
    raw.exec("PRAGMA journal_mode = WAL");
    raw.exec(`PRAGMA synchronous = ${synchronous}`);
    raw.exec("PRAGMA busy_timeout = 5000");
    raw.exec("PRAGMA foreign_keys = ON");
    chmodSync(path, 0o600);
    return raw;
  } catch (cause) {
    raw.close();
    throw new Error(`${path}: cannot be opened as a database: ${(cause as Error).message}`, { cause });
  }
}
