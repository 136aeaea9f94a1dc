import { formatBytes, type ImageResults, parseDuration } from "@mayfly/contract";
import type { Client } from "../client.ts";
import { CliError, EXIT } from "../failure.ts";
import { json, note } from "../output.ts";

/** Forgets what builds remember: steps, and folders of `RUN --mount=type=cache`. */
export async function prune(
  client: Client,
  flags: { readonly unusedFor?: string; readonly json?: boolean },
): Promise<void> {
  const unused_ms = parseDuration(flags.unusedFor ?? "0s");
  if (unused_ms === null)
    throw new CliError(`--unused-for ${flags.unusedFor} is no time`, { exit: EXIT.usage, hint: "write it like 24h" });
  const path = `/v1/builds/cache?unused_s=${Math.ceil(unused_ms / 1000)}`;
  const pruned = await client.json<ImageResults["prune_builds"]>(path, { method: "DELETE" });
  note(`${pruned.steps} steps and ${pruned.mounts} cache folders are forgotten, ${formatBytes(pruned.freed_bytes)}`);
  if (flags.json) json(pruned);
}
