import type { BuildOptions, BuildResult, Settings } from "@mayfly/contract";
import type { Transaction } from "kysely";
import { type Alias, LIVE } from "./row.ts";
import type { CatalogTables } from "./schema.ts";

/** Key order never makes a deploy new. */
export const settingsKey = (settings: Settings): string =>
  JSON.stringify(settings, (_, value: unknown) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/**
 * The version that a build made, and `live` at it. The same source with the same settings, deployed twice at once, is one version; and
 * of two builds that overtook each other, the one that was asked for last stays live (ids sort by time). One that was not to use what was
 * made before is a version of its own, unless the image came out the same.
 */
export async function createVersion(
  trx: Transaction<CatalogTables>,
  build: CatalogTables["build"],
  result: BuildResult,
): Promise<number> {
  if (result.outcome.status !== "done" || build.function === null)
    throw new Error("only a function's build that is done makes a version");
  const { image, contract, size_bytes } = result.outcome;
  const { function: name, source_digest } = build;
  const settings = JSON.parse(build.settings) as Settings;
  let sameSource = trx
    .selectFrom("version")
    .select("version")
    .where("function", "=", name)
    .where("source_digest", "=", source_digest)
    .where("settings_key", "=", settingsKey(settings))
    .orderBy("version", "desc");
  if ((JSON.parse(build.options) as BuildOptions).no_cache) sameSource = sameSource.where("image", "=", image);
  const same = await sameSource.executeTakeFirst();
  const created_at = result.ended_at;
  const made = { function: name, image, contract, source_digest, size_bytes, build: build.id, created_at };
  const version = same?.version ?? (await insertVersion(trx, made, settings));
  const live = await trx
    .selectFrom("alias")
    .innerJoin("version", (join) =>
      join.onRef("version.function", "=", "alias.function").onRef("version.version", "=", "alias.version"),
    )
    .select("version.build")
    .where("alias.function", "=", name)
    .where("alias.alias", "=", LIVE)
    .executeTakeFirst();
  if (!live || live.build < build.id) await point(trx, name, LIVE, version, created_at);
  return version;
}

/** A version under the next number of its function, which is made when there is none. */
export async function insertVersion(
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
  return version;
}

/** One pointer write; what it pointed at before is kept for a rollback. */
export async function point(
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
