import type { InvocationRecord } from "@mayfly/contract";
import { CliError, type Client, EXIT } from "../client.ts";
import { json, out, table } from "../output.ts";
import { renderBill } from "../render-bill.ts";

/** The record of an invocation, waiting a little for a bill that is on its way. */
export async function settledRecord(client: Client, id: string): Promise<InvocationRecord> {
  for (let tries = 0; tries < 4; tries += 1) {
    const shown = await client.json<InvocationRecord & { bill: unknown }>(
      `/v1/invocations/${encodeURIComponent(id)}?wait=5`,
    );
    if (shown.bill) return shown;
  }
  throw new CliError(`${id} has no bill yet: it still runs`, { exit: EXIT.retry });
}

export async function bill(client: Client, id: string, flags: { json?: boolean }): Promise<void> {
  const record = await settledRecord(client, id);
  if (flags.json) json(record);
  else out(renderBill(record, { color: process.stdout.isTTY === true }));
}

export interface BillsFlags {
  readonly function?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: string;
  readonly by?: string;
  readonly format?: string;
  readonly json?: boolean;
}

export async function bills(client: Client, flags: BillsFlags): Promise<void> {
  const query = new URLSearchParams();
  for (const name of ["function", "from", "to", "limit"] as const)
    if (flags[name] !== undefined) query.set(name, flags[name]);
  if (flags.by !== undefined) return sums(client, query, flags);
  if (flags.format && flags.format !== "table") {
    query.set("format", flags.format);
    return void process.stdout.write(await (await client.ok(`/v1/bills?${query}`)).text());
  }
  const { bills: records } = await client.json<{ bills: InvocationRecord[] }>(`/v1/bills?${query}`);
  if (flags.json) return json(records);
  const rows = records.map((r) => [
    r.id,
    `${r.function} v${r.version}`,
    r.status,
    `${r.bill.billed.duration_ms} ms`,
    `${r.bill.billed.cpu_ms} ms`,
    r.bill.total.amount,
  ]);
  out(table(["INVOCATION", "FUNCTION", "STATUS", "BILLED", "CPU", "AMOUNT"], rows));
}

interface Sums {
  readonly rows: { function: string; day: string; calls: number; amount: string }[];
  readonly total: { calls: number; amount: string };
}

async function sums(client: Client, query: URLSearchParams, flags: BillsFlags): Promise<void> {
  if (!["function", "day"].includes(flags.by!))
    throw new CliError(`--by ${flags.by} is neither function nor day`, { exit: EXIT.usage });
  const usage = await client.json<Sums>(`/v1/usage?${query}`);
  if (flags.json) return json(usage);
  const rows = usage.rows.map((row) => [row.day, row.function, String(row.calls), row.amount]);
  out(
    table(
      ["DAY", "FUNCTION", "CALLS", "AMOUNT"],
      [...rows, ["total", "", String(usage.total.calls), usage.total.amount]],
    ),
  );
}
