import { type BillLine, type Charges, FAULTS, type InvocationStatus, type Usage } from "@mayfly/contract";
import { divideHalfEven, formatFraction, formatPico, parsePico } from "./money.ts";
import { METERS, type MeterName, type PriceTable } from "./table.ts";

export interface Charged {
  readonly usage: Pick<Usage, "wall_us" | "cpu_us" | "memory_peak_bytes">;
  readonly limits: { readonly memory_bytes: number };
  readonly status: InvocationStatus;
  /** 0: a build is none. */
  readonly calls: 0 | 1;
}

const MiB = 1024 * 1024;
const SMALLEST_PEAK_MIB = 16;
const NOT_MEASURED = "not measured on this kernel: nothing is charged";

/**
 * bill = f(usage, price table): pure, exact, repeatable. Each line is one multiplication and one division, rounded half to even once;
 * the total is the sum of the lines. A call that failed through our fault is charged and credited in full, both visible.
 */
export function charge(charged: Charged, table: PriceTable): Charges {
  const billed = quantities(charged, table);
  const amounts = table.skus.map((sku) => {
    const quantity = BigInt(billed[sku.meter]);
    const unit = METERS[sku.meter];
    const per = BigInt(sku.per);
    return {
      sku,
      quantity,
      unit,
      pico: divideHalfEven(quantity * parsePico(sku.price), unit * per),
      price: divideHalfEven(parsePico(sku.price), per),
    };
  });
  const lines: BillLine[] = amounts.map(({ sku, quantity, unit, pico, price }) => ({
    sku: sku.sku,
    quantity: formatFraction(quantity, unit),
    unit: sku.unit,
    unit_price: trimZeros(formatPico(price)),
    amount: formatPico(pico),
    rule: rule(sku.meter, charged, table, billed),
  }));
  let total = amounts.reduce((sum, { pico }) => sum + pico, 0n);
  if (isOurFault(charged.status) && total > 0n) {
    lines.push({
      sku: "platform_error_credit",
      quantity: "1",
      unit: "Credits",
      unit_price: formatPico(-total),
      amount: formatPico(-total),
      rule: "the call failed through a fault of the platform: nothing is due",
    });
    total = 0n;
  }
  return {
    billed,
    lines,
    total: { currency: table.currency, amount: formatPico(total) },
    price_table: { id: table.id, version: table.version, sha256: table.sha256 },
  };
}

function quantities({ usage, limits, calls }: Charged, table: PriceTable): Charges["billed"] {
  // A call lasts a millisecond at least; a build that found everything made has run nothing.
  const duration_ms = Math.max(calls, Math.ceil(usage.wall_us / 1000));
  return {
    requests: calls,
    duration_ms,
    memory_mib_ms: memoryMib(usage, limits, table) * duration_ms,
    cpu_ms: Math.ceil((usage.cpu_us ?? 0) / 1000),
  };
}

/** MiB that are charged for. What was not measured costs nothing. */
function memoryMib(usage: Charged["usage"], limits: Charged["limits"], table: PriceTable): number {
  if (table.memory_basis === "limit") return Math.ceil(limits.memory_bytes / MiB);
  if (usage.memory_peak_bytes === null) return 0;
  return Math.max(SMALLEST_PEAK_MIB, Math.ceil(usage.memory_peak_bytes / MiB));
}

function rule(
  meter: MeterName,
  { usage, limits, calls }: Charged,
  table: PriceTable,
  billed: Charges["billed"],
): string {
  switch (meter) {
    case "requests":
      return calls === 0 ? "a build is no call" : "1 for each call";
    case "memory_mib_ms":
      if (table.memory_basis === "peak" && usage.memory_peak_bytes === null) return NOT_MEASURED;
      return `${table.memory_basis === "limit" ? "limit" : "peak"} ${memoryMib(usage, limits, table)} MiB × ${billed.duration_ms} ms (${calls === 0 ? "its boxes" : "init + handler"} ${usage.wall_us} µs, rounded up)`;
    case "cpu_ms":
      return usage.cpu_us === null ? NOT_MEASURED : `${billed.cpu_ms} ms (${usage.cpu_us} µs, rounded up)`;
  }
}

const isOurFault = (status: InvocationStatus): boolean =>
  Object.values(FAULTS).some((row) => row.invocation === status && !row.billed);

const trimZeros = (decimal: string): string => decimal.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
