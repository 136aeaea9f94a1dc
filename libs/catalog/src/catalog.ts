import type { BuildId, BuildResult, Contract, Digest, FunctionName, Settings } from "@mayfly/contract";
import { type OpenedDatabase, openDatabase } from "@mayfly/sqlite";
import type { Transaction } from "kysely";
import { type CatalogTables, MIGRATIONS } from "./schema.ts";

/** What one deploy made. Immutable. */
export interface Version {
  readonly function: FunctionName;
  readonly version: number;
  readonly created_at: string;
  readonly image: Digest;
  readonly contract: Contract;
  readonly source_digest: string;
  readonly settings: Settings;
  readonly size_bytes: number;
  readonly build: string;
}

export interface Alias {
  readonly alias: string;
  readonly version: number;
  readonly previous: number | null;
  readonly updated_at: string;
}

export interface FunctionRow {
  readonly name: FunctionName;
  readonly created_at: string;
  readonly aliases: readonly Alias[];
  readonly live: Version | null;
}

export interface Build {
  readonly id: BuildId;
  readonly function: FunctionName;
  readonly status: "queued" | "done" | "failed" | "canceled";
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly source_digest: string;
  readonly settings: Settings;
  readonly version: number | null;
  readonly result: BuildResult | null;
}

export const LIVE = "live";

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

  /** True when it was there. Its bills stay. */
  async remove(name: string): Promise<boolean> {
    const { numDeletedRows } = await this.#opened.db.deleteFrom("function").where("name", "=", name).executeTakeFirst();
    return numDeletedRows > 0n;
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
    build: Pick<Build, "id" | "function" | "created_at" | "source_digest" | "settings">,
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
        version: null,
        result: null,
      })
      .execute();
  }

  async build(id: string): Promise<Build | null> {
    const row = await this.#opened.db.selectFrom("build").selectAll().where("id", "=", id).executeTakeFirst();
    return row ? toBuild(row) : null;
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
   * Enters what a build came to: a version and its alias `live` in one transaction, or the failure. A result that is entered already,
   * or whose build was canceled meanwhile, changes nothing.
   */
  async finishBuild(result: BuildResult): Promise<Build | null> {
    await this.#opened.db.transaction().execute(async (trx) => {
      const row = await trx.selectFrom("build").selectAll().where("id", "=", result.build).executeTakeFirst();
      if (row?.status !== "queued") return;
      const version = result.outcome.status === "done" ? await createVersion(trx, row, result) : null;
      await trx
        .updateTable("build")
        .set({
          status: version === null ? "failed" : "done",
          ended_at: result.ended_at,
          version,
          result: JSON.stringify(result),
        })
        .where("id", "=", result.build)
        .execute();
    });
    return this.build(result.build);
  }

  /** A new version with other settings over the image of `from`; it goes live. */
  async changeSettings(from: Version, settings: Settings, now: string): Promise<Version> {
    const made = await this.#opened.db.transaction().execute((trx) => {
      const { function: name, image, contract, source_digest, size_bytes, build } = from;
      return insertVersion(
        trx,
        { function: name, image, contract, source_digest, size_bytes, build, created_at: now },
        settings,
      );
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

/** Key order never makes a deploy new. */
const settingsKey = (settings: Settings): string =>
  JSON.stringify(settings, (_, value: unknown) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

async function createVersion(
  trx: Transaction<CatalogTables>,
  build: CatalogTables["build"],
  result: BuildResult,
): Promise<number> {
  if (result.outcome.status !== "done") throw new Error("only a build that is done makes a version");
  const { image, contract, size_bytes } = result.outcome;
  return insertVersion(
    trx,
    {
      function: build.function,
      image,
      contract,
      source_digest: build.source_digest,
      size_bytes,
      build: build.id,
      created_at: result.ended_at,
    },
    JSON.parse(build.settings) as Settings,
  );
}

async function insertVersion(
  trx: Transaction<CatalogTables>,
  made: Omit<CatalogTables["version"], "version" | "settings" | "settings_key">,
  settings: Settings,
): Promise<number> {
  await trx
    .insertInto("function")
    .values({ name: made.function, created_at: made.created_at, next_version: 1 })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { next_version: version } = await trx
    .selectFrom("function")
    .select("next_version")
    .where("name", "=", made.function)
    .executeTakeFirstOrThrow();
  await trx
    .updateTable("function")
    .set({ next_version: version + 1 })
    .where("name", "=", made.function)
    .execute();
  await trx
    .insertInto("version")
    .values({ ...made, version, settings: JSON.stringify(settings), settings_key: settingsKey(settings) })
    .execute();
  await point(trx, made.function, LIVE, version, made.created_at);
  return version;
}

async function point(
  trx: Transaction<CatalogTables>,
  name: string,
  alias: string,
  version: number,
  now: string,
): Promise<Alias> {
  const before = await trx
    .selectFrom("alias")
    .selectAll()
    .where("function", "=", name)
    .where("alias", "=", alias)
    .executeTakeFirst();
  const previous = before ? (before.version === version ? before.previous : before.version) : null;
  await trx
    .insertInto("alias")
    .values({ function: name, alias, version, previous, updated_at: now })
    .onConflict((conflict) =>
      conflict.columns(["function", "alias"]).doUpdateSet({ version, previous, updated_at: now }),
    )
    .execute();
  return { alias, version, previous, updated_at: now };
}

function toVersion({ settings_key: _, settings, ...row }: CatalogTables["version"]): Version {
  return { ...row, settings: JSON.parse(settings) } as Version;
}

function toBuild(row: CatalogTables["build"]): Build {
  return {
    ...row,
    settings: JSON.parse(row.settings),
    result: row.result === null ? null : JSON.parse(row.result),
  } as Build;
}
