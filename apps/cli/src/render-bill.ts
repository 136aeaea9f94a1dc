import { styleText } from "node:util";
import { formatBytes, formatMicros, type InvocationRecord, LIMIT_BOUNDS } from "@mayfly/contract";
import { table } from "./output.ts";

type Paint = (style: "bold" | "dim", text: string) => string;
const BAR = 40;
const PHASES = ["queue", "box", "init", "handler", "teardown"] as const;

/** A bill in words: where the time went, what was used of what was allowed, what it costs and why. */
export function renderBill(record: InvocationRecord, options: { color: boolean }): string {
  const paint: Paint = (style, text) => (options.color ? styleText(style, text, { validateStream: false }) : text);
  return [
    head(record, paint),
    "",
    timeline(record, paint),
    "",
    resources(record),
    "",
    lines(record),
    "",
    sentence(record),
  ].join("\n");
}

function head(record: InvocationRecord, paint: Paint): string {
  const status = record.http_status === null ? record.status : `${record.status}, HTTP ${record.http_status}`;
  const error = record.error ? `\n${record.error.code}: ${record.error.message}` : "";
  return `${paint("bold", record.id)}  ${record.function} v${record.version}  ${status}  ${record.ended_at}${error}`;
}

function timeline({ phases_us }: InvocationRecord, paint: Paint): string {
  const phases = PHASES.map((name) => [name, phases_us[name]] as const);
  const whole = phases.reduce((sum, [, us]) => sum + us, 0) || 1;
  const rows = phases.map(([name, us]) => {
    const billed = name === "init" || name === "handler";
    const bar = (billed ? "█" : "░").repeat(Math.round((us / whole) * BAR)) || (us > 0 ? "▏" : "");
    return `  ${name.padEnd(9)} ${formatMicros(us).padStart(9)}  ${billed ? bar : paint("dim", bar)}`.trimEnd();
  });
  return `time (init and handler are billed)\n${rows.join("\n")}`;
}

function resources({ bill }: InvocationRecord): string {
  const { usage, meter } = bill;
  const value = (count: number | null, format: (n: number) => string) =>
    count === null ? "not measured" : format(count);
  const rows = [
    ["cpu", value(usage.cpu_us, formatMicros), `loading ${value(usage.init_cpu_us, formatMicros)}`],
    ["memory peak", value(usage.memory_peak_bytes, formatBytes), `of ${formatBytes(usage.memory_limit_bytes)}`],
    ["processes", value(usage.pids_peak, String), "at most at once"],
    ["disk", `${value(usage.io_read_bytes, formatBytes)} read`, `${value(usage.io_write_bytes, formatBytes)} written`],
    ["body", `${formatBytes(usage.request_bytes)} in`, `${formatBytes(usage.response_bytes)} out`],
    ["log", formatBytes(usage.log_bytes), ""],
  ];
  const missing = meter.missing.length > 0 ? `\n  this kernel does not count: ${meter.missing.join(", ")}` : "";
  return `used (cgroup ${meter.cgroup})\n${rows.map(([name, used, more]) => `  ${name!.padEnd(12)} ${used!.padEnd(14)} ${more}`.trimEnd()).join("\n")}${missing}`;
}

function lines({ bill }: InvocationRecord): string {
  const rows = bill.lines.map((line) => [
    line.sku,
    `${line.quantity} ${line.unit}`,
    `× ${line.unit_price}`,
    `= ${line.amount}`,
    line.rule,
  ]);
  const total = [
    "total",
    "",
    "",
    `= ${bill.total.amount}`,
    `${bill.total.currency}, prices ${bill.price_table.id} v${bill.price_table.version}`,
  ];
  return table(["bill", "quantity", "unit price", "amount", "rule"], [...rows, total]);
}

const MiB = 1024 * 1024;

/** What it cost, and the one thing that would have made it cheaper, or end well. */
function sentence({ bill, status }: InvocationRecord): string {
  const { memory_peak_bytes: peak, memory_limit_bytes: limit } = bill.usage;
  const cost = `This call cost ${bill.total.amount} ${bill.total.currency}.`;
  if (status === "platform_error") return `${cost} It failed through a fault of Mayfly, so nothing is due.`;
  if (status === "out_of_memory")
    return `${cost} Its ${formatBytes(limit)} of memory were not enough: --memory ${(2 * limit) / MiB}MiB gives it twice as much.`;
  if (peak === null) return cost;
  const used = `${cost} It used ${formatBytes(peak)} of its ${formatBytes(limit)}`;
  const enough = Math.max(LIMIT_BOUNDS.memory_bytes.min, 2 ** Math.ceil(Math.log2(peak * 1.25)));
  const byLimit = bill.lines.some((line) => line.sku === "memory" && line.rule.startsWith("limit"));
  if (enough > limit / 2 || !byLimit) return `${used}.`;
  const share = Math.round((enough / limit) * 100);
  return `${used}: --memory ${enough / MiB}MiB would have held it, at ${share} % of the memory line.`;
}
