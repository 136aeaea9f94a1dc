import { Fault } from "@mayfly/contract";
import { type EnteredRecord, formatPico } from "@mayfly/ledger";
import { Hono } from "hono";
import type { GatewayDeps } from "../deps.ts";
import { cursorOf, limitOf, timeOf } from "../http/params.ts";

const FORMATS = ["json", "ndjson", "csv"] as const;

/** Bills and sums of them, for people and for their tools. */
export const billRoutes = (deps: GatewayDeps) =>
  new Hono()
    .get("/bills", async (context) => {
      const { from, to, function: name, limit, format = "json", cursor } = context.req.query();
      if (!(FORMATS as readonly string[]).includes(format))
        throw new Fault("bad_request", { detail: `format=${format} is none of ${FORMATS.join(", ")}` });
      const count = limitOf(limit, 100);
      const records = await deps.ledger.list({
        function: name,
        since: timeOf("from", from),
        until: timeOf("to", to),
        before: cursorOf(cursor),
        limit: count,
      });
      if (format === "ndjson")
        return context.body(records.map((r) => `${JSON.stringify(r)}\n`).join(""), 200, {
          "content-type": "application/x-ndjson",
        });
      if (format === "csv")
        return context.body(csv(records), 200, { "content-type": "text/csv; charset=utf-8; header=present" });
      return context.json({
        bills: records,
        cursor: records.length === count ? String(records.at(-1)!.bill.ledger.seq) : null,
      });
    })
    .get("/usage", async (context) => {
      const { from, to, function: name, group_by } = context.req.query();
      if (group_by !== undefined && group_by !== "function,day")
        throw new Fault("bad_request", {
          detail: `group_by=${group_by} is not offered in this version: rows are by function,day`,
        });
      const rows = await deps.ledger.usage({ function: name, since: timeOf("from", from), until: timeOf("to", to) });
      const total = rows.reduce((sum, row) => sum + row.total_pico, 0n);
      return context.json({
        rows: rows.map(({ total_pico, ...row }) => ({ ...row, amount: formatPico(total_pico) })),
        total: { calls: rows.reduce((sum, row) => sum + row.calls, 0), amount: formatPico(total) },
      });
    });

const COLUMNS: readonly (readonly [string, (record: EnteredRecord) => unknown])[] = [
  ["id", (r) => r.id],
  ["attempt", (r) => r.attempt],
  ["function", (r) => r.function],
  ["version", (r) => r.version],
  ["status", (r) => r.status],
  ["http_status", (r) => r.http_status],
  ["received_at", (r) => r.received_at],
  ["ended_at", (r) => r.ended_at],
  ["wall_us", (r) => r.bill.usage.wall_us],
  ["cpu_us", (r) => r.bill.usage.cpu_us],
  ["memory_peak_bytes", (r) => r.bill.usage.memory_peak_bytes],
  ["duration_ms", (r) => r.bill.billed.duration_ms],
  ["memory_mib_ms", (r) => r.bill.billed.memory_mib_ms],
  ["cpu_ms", (r) => r.bill.billed.cpu_ms],
  ["amount", (r) => r.bill.total.amount],
  ["currency", (r) => r.bill.total.currency],
  ["ledger_seq", (r) => r.bill.ledger.seq],
];

/** RFC 4180. */
function csv(records: readonly EnteredRecord[]): string {
  const cell = (value: unknown) =>
    /[",\r\n]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? "");
  const rows = records.map((record) => COLUMNS.map(([, read]) => cell(read(record))).join(","));
  return `${[COLUMNS.map(([name]) => name).join(","), ...rows].join("\r\n")}\r\n`;
}
