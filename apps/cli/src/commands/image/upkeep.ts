import { formatBytes, type ImageResults, parseDuration } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { CliError, EXIT } from "../../failure.ts";
import { json, note, out, paint } from "../../output.ts";
import { follow } from "./follow.ts";
import { withJson } from "./path.ts";

export async function gc(
  client: Client,
  flags: { readonly unusedFor?: string; readonly json?: boolean },
): Promise<void> {
  const unused_ms = flags.unusedFor === undefined ? undefined : parseDuration(flags.unusedFor);
  if (unused_ms === null) {
    throw new CliError(`--unused-for ${flags.unusedFor} is no time`, { exit: EXIT.usage, hint: "write it like 30m" });
  }
  const body = unused_ms === undefined ? {} : { unused_s: Math.ceil(unused_ms / 1000) };
  const swept = await follow<ImageResults["gc"]>(client, "/v1/images/gc", withJson("POST", body), flags);
  note(`${swept.blobs} blobs (${formatBytes(swept.freed_bytes)}) and ${swept.snapshots} unpacked layers are removed`);
  if (flags.json) json(swept);
}

/** Exits 1 when something is wrong and was not mended. */
export async function fsck(
  client: Client,
  flags: { readonly mend?: boolean; readonly deep?: boolean; readonly json?: boolean },
): Promise<void> {
  const body = { mend: flags.mend === true, deep: flags.deep === true };
  const report = await follow<ImageResults["fsck"]>(client, "/v1/images/fsck", withJson("POST", body), flags);
  if (flags.json) json(report);
  else {
    for (const problem of report.problems) out(`${paint("red", "✗", process.stdout)} ${problem}`);
    for (const mended of report.mended) out(`${paint("green", "✓", process.stdout)} ${mended}`);
  }
  note(`${report.blobs} blobs and ${report.snapshots} unpacked layers: ${report.problems.length} problems`);
  if (report.problems.length > report.mended.length) process.exitCode = EXIT.failed;
}
