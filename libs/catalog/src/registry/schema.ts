import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export interface RegistryTables {
  /** A repository's right to a blob; the blob itself lies in the blob store, once. */
  blob: { repository: string; digest: string; size_bytes: number; linked_at: number };
  manifest: {
    repository: string;
    digest: string;
    media_type: string;
    size_bytes: number;
    /** Digest of the manifest that this one is about (image spec, `subject`). */
    subject: string | null;
    artifact_type: string | null;
    /** JSON object. */
    annotations: string | null;
    pushed_at: number;
  };
  /** Blobs that a manifest names. */
  part: { repository: string; manifest: string; digest: string };
  tag: { repository: string; tag: string; digest: string; tagged_at: number };
  upload: { id: string; repository: string; begun_at: number };
}

const first: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("blob")
      .addColumn("repository", "text", (c) => c.notNull())
      .addColumn("digest", "text", (c) => c.notNull())
      .addColumn("size_bytes", "integer", (c) => c.notNull())
      .addColumn("linked_at", "integer", (c) => c.notNull())
      .addPrimaryKeyConstraint("blob_key", ["repository", "digest"])
      .execute();
    await db.schema.createIndex("blob_by_digest").on("blob").column("digest").execute();
    await db.schema
      .createTable("manifest")
      .addColumn("repository", "text", (c) => c.notNull())
      .addColumn("digest", "text", (c) => c.notNull())
      .addColumn("media_type", "text", (c) => c.notNull())
      .addColumn("size_bytes", "integer", (c) => c.notNull())
      .addColumn("subject", "text")
      .addColumn("artifact_type", "text")
      .addColumn("annotations", "text")
      .addColumn("pushed_at", "integer", (c) => c.notNull())
      .addPrimaryKeyConstraint("manifest_key", ["repository", "digest"])
      .execute();
    await db.schema.createIndex("manifest_by_digest").on("manifest").column("digest").execute();
    await db.schema
      .createIndex("manifest_by_subject")
      .on("manifest")
      .columns(["repository", "subject", "digest"])
      .execute();
    await db.schema
      .createTable("part")
      .addColumn("repository", "text", (c) => c.notNull())
      .addColumn("manifest", "text", (c) => c.notNull())
      .addColumn("digest", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("part_key", ["repository", "digest", "manifest"])
      .addForeignKeyConstraint("part_manifest", ["repository", "manifest"], "manifest", ["repository", "digest"], (c) =>
        c.onDelete("cascade"),
      )
      .execute();
    await db.schema
      .createTable("tag")
      .addColumn("repository", "text", (c) => c.notNull())
      .addColumn("tag", "text", (c) => c.notNull())
      .addColumn("digest", "text", (c) => c.notNull())
      .addColumn("tagged_at", "integer", (c) => c.notNull())
      .addPrimaryKeyConstraint("tag_key", ["repository", "tag"])
      .addForeignKeyConstraint("tag_manifest", ["repository", "digest"], "manifest", ["repository", "digest"], (c) =>
        c.onDelete("cascade"),
      )
      .execute();
    await db.schema
      .createTable("upload")
      .addColumn("id", "text", (c) => c.primaryKey())
      .addColumn("repository", "text", (c) => c.notNull())
      .addColumn("begun_at", "integer", (c) => c.notNull())
      .execute();
  },
};

export const REGISTRY_MIGRATIONS: Readonly<Record<string, Migration>> = { "001_registry": first };
