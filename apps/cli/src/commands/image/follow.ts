import type { ImageProgress, Problem } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { CliError, EXIT, problemError } from "../../failure.ts";
import { linesOf } from "../../lines.ts";
import { note } from "../../output.ts";
import { MovingBlobs } from "./moving-blobs.ts";

interface Record {
  readonly progress?: ImageProgress | null;
  readonly result?: unknown;
  readonly error?: Problem;
}

/** Asks for long work and shows how it goes until it has ended. @throws CliError with the server's words */
export async function follow<T>(
  client: Client,
  path: string,
  init: RequestInit,
  flags: { readonly json?: boolean },
): Promise<T> {
  const headers = { ...(init.headers as { [name: string]: string }), accept: "application/x-ndjson" };
  const response = await client.ok(path, { ...init, headers });
  const blobs = new MovingBlobs(process.stderr);
  try {
    for await (const line of linesOf(client.chunks(response))) {
      const record = JSON.parse(line) as Record;
      if (record.error) throw problemError(record.error);
      if ("result" in record) return record.result as T;
      if (flags.json) note(line);
      else if (record.progress) blobs.show(record.progress);
    }
  } finally {
    blobs.end();
  }
  throw new CliError("the server broke off before it was done", { exit: EXIT.retry, hint: "try again" });
}
