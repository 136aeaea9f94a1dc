import type { Digest } from "@mayfly/contract";
import { type OpenedDatabase, openDatabase } from "@mayfly/sqlite";
import { type Kysely, sql, type Transaction } from "kysely";
import { REGISTRY_MIGRATIONS, type RegistryTables } from "./schema.ts";

/** A manifest in a repository. Its bytes are a blob. */
export interface RegistryManifest {
  readonly repository: string;
  readonly digest: Digest;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly subject: Digest | null;
  readonly artifact_type: string | null;
  readonly annotations: Readonly<Record<string, string>> | null;
}

export interface Page {
  /** Starts behind this one. */
  readonly last?: string | undefined;
  readonly limit: number;
}

/** A blob's name in a repository that no manifest of it names. */
export interface LooseBlob {
  readonly repository: string;
  readonly digest: Digest;
}

/**
 * What the registry has: which repository may show which blob, its manifests, its tags, and uploads that have begun. One writer: the
 * gateway. Times are milliseconds since the epoch.
 */
export class RegistryIndex {
  readonly #opened: OpenedDatabase<RegistryTables>;
  readonly #db: Kysely<RegistryTables>;

  private constructor(opened: OpenedDatabase<RegistryTables>) {
    this.#opened = opened;
    this.#db = opened.db;
  }

  /** @throws Error naming the file when it cannot be used */
  static async open(path: string): Promise<RegistryIndex> {
    return new RegistryIndex(await openDatabase({ path, synchronous: "full", migrations: REGISTRY_MIGRATIONS }));
  }

  /** Size of a blob that the repository may show; null: it may not. */
  async blobSize(repository: string, digest: Digest): Promise<number | null> {
    const row = await this.#db
      .selectFrom("blob")
      .select("size_bytes")
      .where("repository", "=", repository)
      .where("digest", "=", digest)
      .executeTakeFirst();
    return row?.size_bytes ?? null;
  }

  /** From now on the repository may show this blob; done again, it counts as used anew. */
  async linkBlob(repository: string, digest: Digest, size_bytes: number, now: number): Promise<void> {
    await this.#db
      .insertInto("blob")
      .values({ repository, digest, size_bytes, linked_at: now })
      .onConflict((conflict) => conflict.columns(["repository", "digest"]).doUpdateSet({ linked_at: now }))
      .execute();
  }

  async unlinkBlob(repository: string, digest: Digest): Promise<void> {
    await this.#db.deleteFrom("blob").where("repository", "=", repository).where("digest", "=", digest).execute();
  }

  /** A manifest of the repository that names the blob, or null. */
  async userOf(repository: string, digest: Digest): Promise<Digest | null> {
    const row = await this.#db
      .selectFrom("part")
      .select("manifest")
      .where("repository", "=", repository)
      .where("digest", "=", digest)
      .executeTakeFirst();
    return (row?.manifest ?? null) as Digest | null;
  }

  /** Whether any repository has it, as a blob or as a manifest. */
  async isKept(digest: Digest): Promise<boolean> {
    const found = (table: "blob" | "manifest") =>
      this.#db.selectFrom(table).select("digest").where("digest", "=", digest).limit(1).executeTakeFirst();
    return (await found("blob")) !== undefined || (await found("manifest")) !== undefined;
  }

  /** Blobs that were linked before a time and that nothing names. */
  async looseBlobs(linkedBefore: number): Promise<LooseBlob[]> {
    const query = this.#db.selectFrom("blob").select(["repository", "digest"]).where(loose(linkedBefore));
    return (await query.execute()) as LooseBlob[];
  }

  /** Unlinks a blob if it is still loose, in one step: a manifest that comes to name it wins. True when it was unlinked. */
  async unlinkLoose({ repository, digest }: LooseBlob, linkedBefore: number): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("blob")
      .where("repository", "=", repository)
      .where("digest", "=", digest)
      .where(loose(linkedBefore))
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** Enters a manifest with the blobs that it names, and points a tag at it. One transaction; done again, it only moves the tag. */
  async putManifest(
    manifest: RegistryManifest,
    { parts, tag, now }: { readonly parts: Iterable<Digest>; readonly tag: string | null; readonly now: number },
  ): Promise<void> {
    const { repository, digest } = manifest;
    await this.#db.transaction().execute(async (trx) => {
      const annotations = manifest.annotations === null ? null : JSON.stringify(manifest.annotations);
      await trx
        .insertInto("manifest")
        .values({ ...manifest, annotations, pushed_at: now })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      for (const part of new Set(parts)) {
        await trx
          .insertInto("part")
          .values({ repository, manifest: digest, digest: part })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
      if (tag !== null) await pointTag(trx, { repository, tag, digest, tagged_at: now });
    });
  }

  /** By digest or by tag. */
  async manifest(repository: string, reference: string): Promise<RegistryManifest | null> {
    const digest = reference.includes(":") ? reference : await this.#tagged(repository, reference);
    if (digest === null) return null;
    const row = await this.#db
      .selectFrom("manifest")
      .selectAll()
      .where("repository", "=", repository)
      .where("digest", "=", digest)
      .executeTakeFirst();
    return row ? toManifest(row) : null;
  }

  /** True when it was there. Tags that pointed at it are gone with it. */
  async removeManifest(repository: string, digest: Digest): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("manifest")
      .where("repository", "=", repository)
      .where("digest", "=", digest)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** True when it was there. The manifest stays. */
  async removeTag(repository: string, tag: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("tag")
      .where("repository", "=", repository)
      .where("tag", "=", tag)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** In lexical order, whatever the case (distribution spec, "Listing Tags"). */
  async tags(repository: string, { last, limit }: Page): Promise<string[]> {
    let query = this.#db
      .selectFrom("tag")
      .select("tag")
      .where("repository", "=", repository)
      .orderBy(sql`lower(tag)`)
      .orderBy("tag")
      .limit(limit);
    if (last !== undefined) query = query.where(sql<boolean>`(lower(tag), tag) > (lower(${last}), ${last})`);
    return (await query.execute()).map((row) => row.tag);
  }

  /** Those that have a manifest. */
  async repositories({ last, limit }: Page): Promise<string[]> {
    let query = this.#db.selectFrom("manifest").select("repository").distinct().orderBy("repository").limit(limit);
    if (last !== undefined) query = query.where("repository", ">", last);
    return (await query.execute()).map((row) => row.repository);
  }

  async hasRepository(repository: string): Promise<boolean> {
    const query = this.#db.selectFrom("manifest").select("digest").where("repository", "=", repository).limit(1);
    return (await query.executeTakeFirst()) !== undefined;
  }

  /** Manifests whose subject is this digest, by digest. */
  async referrers(
    repository: string,
    subject: Digest,
    { artifactType, last, limit }: Page & { readonly artifactType?: string | undefined },
  ): Promise<RegistryManifest[]> {
    let query = this.#db
      .selectFrom("manifest")
      .selectAll()
      .where("repository", "=", repository)
      .where("subject", "=", subject)
      .orderBy("digest")
      .limit(limit);
    if (artifactType !== undefined) query = query.where("artifact_type", "=", artifactType);
    if (last !== undefined) query = query.where("digest", ">", last);
    return (await query.execute()).map(toManifest);
  }

  async beginUpload(id: string, repository: string, now: number): Promise<void> {
    await this.#db.insertInto("upload").values({ id, repository, begun_at: now }).execute();
  }

  /** Whether this upload has begun in this repository. */
  async hasUpload(id: string, repository: string): Promise<boolean> {
    const query = this.#db.selectFrom("upload").select("id").where("id", "=", id).where("repository", "=", repository);
    return (await query.executeTakeFirst()) !== undefined;
  }

  async uploads(): Promise<string[]> {
    return (await this.#db.selectFrom("upload").select("id").execute()).map((row) => row.id);
  }

  async endUpload(id: string): Promise<void> {
    await this.#db.deleteFrom("upload").where("id", "=", id).execute();
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  async #tagged(repository: string, tag: string): Promise<string | null> {
    const query = this.#db
      .selectFrom("tag")
      .select("digest")
      .where("repository", "=", repository)
      .where("tag", "=", tag);
    return (await query.executeTakeFirst())?.digest ?? null;
  }
}

const loose = (linkedBefore: number) => sql<boolean>`
  linked_at < ${linkedBefore} and not exists
    (select 1 from part where part.repository = blob.repository and part.digest = blob.digest)`;

const toManifest = ({ pushed_at: _, annotations, ...row }: RegistryTables["manifest"]): RegistryManifest =>
  ({ ...row, annotations: annotations === null ? null : JSON.parse(annotations) }) as RegistryManifest;

async function pointTag(trx: Transaction<RegistryTables>, row: RegistryTables["tag"]): Promise<void> {
  const { digest, tagged_at } = row;
  await trx
    .insertInto("tag")
    .values(row)
    .onConflict((conflict) => conflict.columns(["repository", "tag"]).doUpdateSet({ digest, tagged_at }))
    .execute();
}
