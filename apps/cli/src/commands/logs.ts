import type { Client } from "../client.ts";
import { callOf } from "../latest-call.ts";
import { pour } from "../output.ts";

/** The log of a call: text, or a JSON record for each line. */
export async function logs(client: Client, what: string, flags: { json?: boolean }): Promise<void> {
  const id = encodeURIComponent(await callOf(client, what));
  const accept = flags.json ? "application/x-ndjson" : "text/plain";
  await pour(client.chunks(await client.ok(`/v1/invocations/${id}/log`, { headers: { accept } })));
}
