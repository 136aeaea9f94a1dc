import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Generated, Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "./open.ts";

interface Tables {
  thing: { id: Generated<number>; name: string };
}
const first: Migration = {
  up: (db: Kysely<unknown>) =>
    (db as Kysely<Tables>).schema
      .createTable("thing")
      .addColumn("id", "integer", (c) => c.primaryKey())
      .addColumn("name", "text")
      .execute(),
};
const second: Migration = { up: async () => {} };

describe("a database file", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-sqlite-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const open = (migrations: Record<string, Migration>) =>
    openDatabase<Tables>({ path: join(dir, "a.sqlite"), synchronous: "full", migrations });

  it("keeps rows over a close, is private, and in WAL mode", async () => {
    const one = await open({ "001": first });
    await one.db.insertInto("thing").values({ name: "x" }).execute();
    expect(one.raw.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(one.raw.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
    await one.close();
    const two = await open({ "001": first });
    expect(await two.db.selectFrom("thing").selectAll().execute()).toEqual([{ id: 1, name: "x" }]);
    expect(statSync(join(dir, "a.sqlite")).mode & 0o777).toBe(0o600);
    await two.close();
  });

  it("rolls a transaction back whole", async () => {
    const { db, close } = await open({ "001": first });
    const failing = db.transaction().execute(async (trx) => {
      await trx.insertInto("thing").values({ name: "x" }).execute();
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await db.selectFrom("thing").selectAll().execute()).toEqual([]);
    await close();
  });

  it("that a newer version wrote is refused by name", async () => {
    await (await open({ "001": first, "002": second })).close();
    await expect(open({ "001": first })).rejects.toThrow(/a\.sqlite.*newer version/);
  });

  it("that is no database is refused by name", async () => {
    writeFileSync(join(dir, "a.sqlite"), "x".repeat(5000));
    await expect(open({ "001": first })).rejects.toThrow(/a\.sqlite: cannot be opened as a database/);
  });
});
