import type { Client } from "../client.ts";
import { callOf } from "../latest-call.ts";
import { pour } from "../output.ts";
import { boxLogs } from "./box/logs.ts";
import { isBox } from "./box/which.ts";

/** The log of a call: text, or a JSON record for each line. What a box wrote, as it wrote it. */
export async function logs(client: Client, what: string, flags: { json?: boolean; follow?: boolean }): Promise<void> {
  if (await isBox(client, what)) return boxLogs(client, what, flags);
  const id = encodeURIComponent(await callOf(client, what));
  const accept = flags.json ? "application/x-ndjson" : "text/plain";
  await pour(client.chunks(await client.ok(`/v1/invocations/${id}/log`, { headers: { accept } })));
}
