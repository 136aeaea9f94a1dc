import type {
  BuildId,
  BuildOptions,
  BuildResult,
  Digest,
  FunctionName,
  PinnedContract,
  Settings,
} from "@mayfly/contract";
import type { CatalogTables } from "./schema.ts";

/** What one deploy made. Immutable. */
export interface Version {
  readonly function: FunctionName;
  readonly version: number;
  readonly created_at: string;
  readonly image: Digest;
  readonly contract: PinnedContract;
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
  /** Null: it makes an image, and no version. */
  readonly function: FunctionName | null;
  readonly status: "queued" | "done" | "failed" | "canceled";
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly source_digest: string;
  readonly settings: Settings;
  readonly options: BuildOptions;
  readonly version: number | null;
  readonly result: BuildResult | null;
}

/** Points at the newest version, unless it was pointed elsewhere. */
export const LIVE = "live";

export function toVersion({ settings_key: _, settings, ...row }: CatalogTables["version"]): Version {
  return { ...row, settings: JSON.parse(settings) } as Version;
}

export function toBuild(row: CatalogTables["build"]): Build {
  return {
    ...row,
    settings: JSON.parse(row.settings),
    options: JSON.parse(row.options),
    result: row.result === null ? null : JSON.parse(row.result),
  } as Build;
}
