import type { DatabaseSync } from "node:sqlite";
import { SqliteDialect } from "kysely";

type SqlValue = null | number | bigint | string | Uint8Array;

/** node:sqlite behind the shape that Kysely's SqliteDialect drives (that of better-sqlite3). Statements are cached by their text. */
export function nodeSqliteDialect(database: DatabaseSync): SqliteDialect {
  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const prepare = (sql: string) => {
    let statement = statements.get(sql);
    if (!statement) {
      statement = database.prepare(sql);
      if (statements.size < 500) statements.set(sql, statement);
    }
    return statement;
  };
  return new SqliteDialect({
    database: {
      close: () => database.close(),
      prepare: (sql: string) => {
        const statement = prepare(sql);
        const values = (parameters: readonly unknown[]) => parameters as SqlValue[];
        return {
          reader: statement.columns().length > 0,
          all: (parameters: readonly unknown[]) => statement.all(...values(parameters)),
          run: (parameters: readonly unknown[]) => statement.run(...values(parameters)),
          iterate: (parameters: readonly unknown[]) => statement.iterate(...values(parameters)),
        };
      },
    } as never,
  });
}
