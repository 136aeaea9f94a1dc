import type { InvocationRecord } from "@mayfly/contract";
import type { Client } from "../client.ts";
import { CliError, EXIT } from "../failure.ts";
import { momentOf } from "../flags/moment.ts";
import { wholeNumber } from "../flags/whole-number.ts";
import { callOf } from "../latest-call.ts";
import { inColor, json, note, out, pour, table } from "../output.ts";
import { listed } from "../pages.ts";
import { renderBill } from "../render-bill.ts";
import { GROUPS, sumsBy, type UsageRow } from "../sums.ts";

/** The record of an invocation, waiting a little for a bill that is on its way. */
export async function settledRecord(client: Client, id: string): Promise<InvocationRecord> {
  for (let tries = 0; tries < 4; tries += 1) {
    const shown = await client.json<InvocationRecord>(`/v1/invocations/${encodeURIComponent(id)}?wait=5`);
    if (shown.bill) return shown;
  }
  throw new CliError(`${id} has no bill yet: it still runs`, { exit: EXIT.retry, hint: `mayfly bill ${id}` });
}

/** The bill of a call, or of the latest call of a function. */
export async function bill(client: Client, what: string, flags: { json?: boolean }): Promise<void> {
  const record = await settledRecord(client, await callOf(client, what));
  if (flags.json) json(record);
  else out(renderBill(record, { color: inColor(process.stdout) }));
}

export interface BillsFlags {
  readonly function?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly by?: string;
  readonly format?: string;
  readonly json?: boolean;
}

const FORMATS = ["table", "json", "ndjson", "csv"] as const;

export async function bills(client: Client, flags: BillsFlags): Promise<void> {
  const format = flags.format ?? (flags.json ? "json" : "table");
  if (!(FORMATS as readonly string[]).includes(format))
    throw new CliError(`--format ${format} is none of ${FORMATS.join(", ")}`, { exit: EXIT.usage });
  const now = Date.now();
  const query = new URLSearchParams();
  if (flags.function !== undefined) query.set("function", flags.function);
  if (flags.since !== undefined) query.set("from", momentOf("--since", flags.since, now));
  if (flags.until !== undefined) query.set("to", momentOf("--until", flags.until, now));
  if (flags.by !== undefined) return sums(client, query, flags.by, format);
  const limit = flags.limit === undefined ? 100 : wholeNumber("--limit", flags.limit);
  if (format === "csv") {
    query.set("limit", String(limit));
    query.set("format", "csv");
    return pour(client.chunks(await client.ok(`/v1/bills?${query}`)));
  }
  const records = listed<InvocationRecord>(client, "/v1/bills", "bills", query, limit);
  if (format === "ndjson") {
    for await (const record of records) out(JSON.stringify(record));
    return;
  }
  const all = await Array.fromAsync(records);
  if (format === "json") return json(all);
  if (all.length === 0) note("no bills here: mayfly invoke NAME --bill makes one");
  const rows = all.map((r) => [
    r.id,
    `${r.function} v${r.version}`,
    r.status,
    `${r.bill.billed.duration_ms} ms`,
    `${r.bill.billed.cpu_ms} ms`,
    r.bill.total.amount,
  ]);
  out(table(["INVOCATION", "FUNCTION", "STATUS", "BILLED", "CPU", "AMOUNT"], rows));
}

/** A statement: sums that are exact, by function or by day. */
async function sums(client: Client, query: URLSearchParams, by: string, format: string): Promise<void> {
  if (!(GROUPS as readonly string[]).includes(by) || !["table", "json"].includes(format))
    throw new CliError(`--by is ${GROUPS.join(" or ")}, as table or json`, { exit: EXIT.usage });
  const { rows } = await client.json<{ rows: UsageRow[] }>(`/v1/usage?${query}`);
  const summed = sumsBy(rows, by as (typeof GROUPS)[number]);
  if (format === "json") return json(summed);
  const cells = [...summed.rows, ...summed.totals.map((total) => ({ ...total, key: "total" }))].map((row) => [
    row.key,
    String(row.calls),
    row.amount,
    row.currency,
  ]);
  out(table([by.toUpperCase(), "CALLS", "AMOUNT", "CURRENCY"], cells));
}
