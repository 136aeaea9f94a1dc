import type { BuildResult, Digest, FunctionName, Settings } from "@mayfly/contract";
import { type OpenedDatabase, openDatabase } from "@mayfly/sqlite";
import { type Alias, type Build, type FunctionRow, LIVE, toBuild, toVersion, type Version } from "./row.ts";
import { type CatalogTables, MIGRATIONS } from "./schema.ts";
import { createVersion, insertVersion, point, settingsKey } from "./version-writes.ts";

/** Which functions, versions, aliases and builds there are. One writer: the gateway. */
export class Catalog {
  readonly #opened: OpenedDatabase<CatalogTables>;

  private constructor(opened: OpenedDatabase<CatalogTables>) {
    this.#opened = opened;
  }

  /** @throws Error naming the file when it cannot be used */
  static async open(path: string): Promise<Catalog> {
    return new Catalog(await openDatabase<CatalogTables>({ path, synchronous: "full", migrations: MIGRATIONS }));
  }

  /** Functions by name, after `after`. */
  async functions(options: { after?: string | undefined; limit: number }): Promise<FunctionRow[]> {
    let query = this.#opened.db.selectFrom("function").selectAll().orderBy("name").limit(options.limit);
    if (options.after !== undefined) query = query.where("name", ">", options.after);
    const rows = await query.execute();
    return Promise.all(rows.map((row) => this.#functionOf(row)));
  }

  async function(name: string): Promise<FunctionRow | null> {
    const row = await this.#opened.db.selectFrom("function").selectAll().where("name", "=", name).executeTakeFirst();
    return row ? this.#functionOf(row) : null;
  }

  /** True when it was there. Its builds that have not ended are canceled, so that none brings it back. Its bills stay. */
  async remove(name: string, now: string): Promise<boolean> {
    return this.#opened.db.transaction().execute(async (trx) => {
      const { numDeletedRows } = await trx.deleteFrom("function").where("name", "=", name).executeTakeFirst();
      if (numDeletedRows === 0n) return false;
      await trx
        .updateTable("build")
        .set({ status: "canceled", ended_at: now })
        .where("function", "=", name)
        .where("status", "=", "queued")
        .execute();
      return true;
    });
  }

  /** Newest first. */
  async versions(name: string): Promise<Version[]> {
    const rows = await this.#opened.db
      .selectFrom("version")
      .selectAll()
      .where("function", "=", name)
      .orderBy("version", "desc")
      .execute();
    return rows.map(toVersion);
  }

  /** Of all versions of all functions, each once. */
  async images(): Promise<Digest[]> {
    const rows = await this.#opened.db.selectFrom("version").select("image").distinct().execute();
    return rows.map(({ image }) => image as Digest);
  }

  /** By number ("3") or by alias ("live"). */
  async version(name: string, reference: string): Promise<Version | null> {
    const number = /^[1-9]\d{0,8}$/.test(reference) ? Number(reference) : (await this.alias(name, reference))?.version;
    if (number === undefined) return null;
    const row = await this.#opened.db
      .selectFrom("version")
      .selectAll()
      .where("function", "=", name)
      .where("version", "=", number)
      .executeTakeFirst();
    return row ? toVersion(row) : null;
  }

  async alias(name: string, alias: string): Promise<Alias | null> {
    const row = await this.#opened.db
      .selectFrom("alias")
      .selectAll()
      .where("function", "=", name)
      .where("alias", "=", alias)
      .executeTakeFirst();
    return row ? { alias: row.alias, version: row.version, previous: row.previous, updated_at: row.updated_at } : null;
  }

  /** The version that the same source with the same settings made before. */
  async sameDeploy(name: string, sourceDigest: string, settings: Settings): Promise<Version | null> {
    const row = await this.#opened.db
      .selectFrom("version")
      .selectAll()
      .where("function", "=", name)
      .where("source_digest", "=", sourceDigest)
      .where("settings_key", "=", settingsKey(settings))
      .orderBy("version", "desc")
      .executeTakeFirst();
    return row ? toVersion(row) : null;
  }

  /** One pointer write; what it pointed at before is kept for a rollback. */
  async point(name: string, alias: string, version: number, now: string): Promise<Alias> {
    return this.#opened.db.transaction().execute((trx) => point(trx, name, alias, version, now));
  }

  async createBuild(
    build: Pick<Build, "id" | "function" | "created_at" | "source_digest" | "settings" | "options">,
  ): Promise<void> {
    await this.#opened.db
      .insertInto("build")
      .values({
        id: build.id,
        function: build.function,
        status: "queued",
        created_at: build.created_at,
        ended_at: null,
        source_digest: build.source_digest,
        settings: JSON.stringify(build.settings),
        options: JSON.stringify(build.options),
        version: null,
        result: null,
      })
      .execute();
  }

  async build(id: string): Promise<Build | null> {
    const row = await this.#opened.db.selectFrom("build").selectAll().where("id", "=", id).executeTakeFirst();
    return row ? toBuild(row) : null;
  }

  /** Builds that have not ended, oldest first; those created before a time when one is given. */
  async unfinishedBuilds(createdBefore?: string): Promise<Build[]> {
    let query = this.#opened.db.selectFrom("build").selectAll().where("status", "=", "queued").orderBy("id");
    if (createdBefore !== undefined) query = query.where("created_at", "<", createdBefore);
    return (await query.execute()).map(toBuild);
  }

  /** Marks a build that has not ended as canceled. False: it had ended, or there is none. */
  async cancelBuild(id: string, now: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#opened.db
      .updateTable("build")
      .set({ status: "canceled", ended_at: now })
      .where("id", "=", id)
      .where("status", "=", "queued")
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /**
   * Enters what a build came to: a version and its alias `live` in one transaction, an image, or the failure. A result that is entered already
   * changes nothing; of a build that was canceled meanwhile only what it used is kept.
   */
  async finishBuild(result: BuildResult): Promise<Build | null> {
    await this.#opened.db.transaction().execute(async (trx) => {
      const row = await trx.selectFrom("build").selectAll().where("id", "=", result.build).executeTakeFirst();
      const of = trx.updateTable("build").where("id", "=", result.build);
      if (row?.status === "canceled") await of.set({ result: JSON.stringify(result) }).execute();
      if (row?.status !== "queued") return;
      const { outcome } = result;
      const version = outcome.status === "done" ? await createVersion(trx, row, result) : null;
      await of
        .set({
          status: outcome.status === "error" ? "failed" : "done",
          ended_at: result.ended_at,
          version,
          result: JSON.stringify(result),
        })
        .execute();
    });
    return this.build(result.build);
  }

  /** A new version with other settings over the image of `from`; it goes live. */
  async changeSettings(from: Version, settings: Settings, now: string): Promise<Version> {
    const made = await this.#opened.db.transaction().execute(async (trx) => {
      const { function: name, image, contract, source_digest, size_bytes, build } = from;
      const version = await insertVersion(
        trx,
        { function: name, image, contract, source_digest, size_bytes, build, created_at: now },
        settings,
      );
      await point(trx, name, LIVE, version, now);
      return version;
    });
    return (await this.version(from.function, String(made)))!;
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  async #functionOf(row: { name: string; created_at: string }): Promise<FunctionRow> {
    const aliases = await this.#opened.db
      .selectFrom("alias")
      .select(["alias", "version", "previous", "updated_at"])
      .where("function", "=", row.name)
      .orderBy("alias")
      .execute();
    return {
      name: row.name as FunctionName,
      created_at: row.created_at,
      aliases,
      live: await this.version(row.name, LIVE),
    };
  }
}
