export { nodeSqliteDialect } from "./dialect.ts";
export { type OpenedDatabase, type OpenOptions, openDatabase, openRaw } from "./open.ts";
export { WalSync } from "./wal-sync.ts";
