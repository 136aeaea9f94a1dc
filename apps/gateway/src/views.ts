import type { Build, FunctionRow, Version } from "@mayfly/catalog";
import { contractOf } from "@mayfly/contract";
import type { EnteredRecord } from "@mayfly/ledger";
import type { Call } from "./calls/registry.ts";

/** Things as users see them. */

export const versionView = (version: Version) => ({
  function: version.function,
  version: version.version,
  created_at: version.created_at,
  image: version.image,
  contract: contractOf(version.contract),
  source_digest: version.source_digest.split("/")[0],
  size_bytes: version.size_bytes,
  build: version.build,
  settings: version.settings,
  url: `/fn/${version.function}@${version.version}`,
});

export const functionView = (row: FunctionRow) => ({
  function: row.name,
  created_at: row.created_at,
  url: `/fn/${row.name}`,
  version: row.live?.version ?? null,
  contract: row.live && contractOf(row.live.contract),
  settings: row.live?.settings ?? null,
  aliases: Object.fromEntries(
    row.aliases.map(({ alias, version, previous, updated_at }) => [alias, { version, previous, updated_at }]),
  ),
});

/** The image that a build made. */
export function imageOf({ result }: Build) {
  const outcome = result?.outcome;
  if (outcome?.status === "image") return { image: outcome.image, tags: outcome.tags };
  return { image: outcome?.status === "done" ? outcome.image : null, tags: [] };
}

export const buildView = (build: Build) => ({
  id: build.id,
  function: build.function,
  status: build.status,
  created_at: build.created_at,
  ended_at: build.ended_at,
  version: build.version,
  ...imageOf(build),
  usage: build.result?.usage ?? null,
  duration_us: build.result?.duration_us ?? null,
  bill: build.result?.bill ?? null,
  error: build.result?.outcome.status === "error" ? build.result.outcome.error : null,
});

export const invocationView = (record: EnteredRecord) => record;

/** A call whose record is not there yet. */
export const callView = (call: Call) => ({
  id: call.job.invocation,
  attempt: call.job.attempt,
  function: call.job.version.function,
  version: call.job.version.version,
  trigger: call.job.trigger,
  method: call.job.head.method,
  path: call.job.head.target,
  status: call.state,
  http_status: call.response.headersSent ? call.response.statusCode : null,
  received_at: new Date(call.job.received_at_us / 1000).toISOString(),
  started_at: null,
  ended_at: null,
  phases_us: null,
  error: null,
  bill: null,
});
