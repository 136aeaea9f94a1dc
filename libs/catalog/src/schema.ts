import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export interface CatalogTables {
  function: { name: string; created_at: string; next_version: number };
  version: {
    function: string;
    version: number;
    created_at: string;
    image: string;
    contract: string;
    source_digest: string;
    /** Canonical JSON of the settings as they were asked for: with the source it decides whether a deploy is new. */
    settings_key: string;
    settings: string;
    size_bytes: number;
    build: string;
  };
  alias: { function: string; alias: string; version: number; previous: number | null; updated_at: string };
  build: {
    id: string;
    /** Null: it makes an image, and no version. */
    function: string | null;
    status: string;
    created_at: string;
    ended_at: string | null;
    source_digest: string;
    settings: string;
    options: string;
    version: number | null;
    result: string | null;
  };
}

const first: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("function")
      .addColumn("name", "text", (c) => c.primaryKey())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("next_version", "integer", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("version")
      .addColumn("function", "text", (c) => c.notNull().references("function.name").onDelete("cascade"))
      .addColumn("version", "integer", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("image", "text", (c) => c.notNull())
      .addColumn("contract", "text", (c) => c.notNull())
      .addColumn("source_digest", "text", (c) => c.notNull())
      .addColumn("settings_key", "text", (c) => c.notNull())
      .addColumn("settings", "text", (c) => c.notNull())
      .addColumn("size_bytes", "integer", (c) => c.notNull())
      .addColumn("build", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("version_key", ["function", "version"])
      .execute();
    await db.schema
      .createTable("alias")
      .addColumn("function", "text", (c) => c.notNull().references("function.name").onDelete("cascade"))
      .addColumn("alias", "text", (c) => c.notNull())
      .addColumn("version", "integer", (c) => c.notNull())
      .addColumn("previous", "integer")
      .addColumn("updated_at", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("alias_key", ["function", "alias"])
      .execute();
    await db.schema
      .createTable("build")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("function", "text", (c) => c.notNull())
      .addColumn("status", "text", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("ended_at", "text")
      .addColumn("source_digest", "text", (c) => c.notNull())
      .addColumn("settings", "text", (c) => c.notNull())
      .addColumn("version", "integer")
      .addColumn("result", "text")
      .execute();
  },
};

/** Builds may be of no function, and are asked for tags and more. A column that was not null is let be null by a table made anew. */
const imageBuilds: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("build").renameTo("build_before").execute();
    await db.schema
      .createTable("build")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("function", "text")
      .addColumn("status", "text", (c) => c.notNull())
      .addColumn("created_at", "text", (c) => c.notNull())
      .addColumn("ended_at", "text")
      .addColumn("source_digest", "text", (c) => c.notNull())
      .addColumn("settings", "text", (c) => c.notNull())
      .addColumn("options", "text", (c) => c.notNull().defaultTo('{"tags":[],"no_cache":false,"secrets":[]}'))
      .addColumn("version", "integer")
      .addColumn("result", "text")
      .execute();
    const columns = "id, function, status, created_at, ended_at, source_digest, settings, version, result";
    await sql.raw(`insert into build (${columns}) select ${columns} from build_before`).execute(db);
    await db.schema.dropTable("build_before").execute();
  },
};

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "001_functions": first,
  "002_builds_of_images": imageBuilds,
};
