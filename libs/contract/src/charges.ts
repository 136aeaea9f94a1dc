import { z } from "zod";

const count = z.int().nonnegative();

export const BillLine = z.object({
  sku: z.string(),
  /** Decimal string. */
  quantity: z.string(),
  unit: z.string(),
  unit_price: z.string(),
  /** Decimal string with 12 places, of `total.currency`. */
  amount: z.string(),
  rule: z.string(),
});
export type BillLine = z.infer<typeof BillLine>;

/** What a usage costs by a price table. */
export const Charges = z.object({
  billed: z.object({ requests: count, duration_ms: count, memory_mib_ms: count, cpu_ms: count }),
  lines: z.array(BillLine),
  total: z.object({ currency: z.string(), amount: z.string() }),
  price_table: z.object({ id: z.string(), version: z.int(), sha256: z.string() }),
});
export type Charges = z.infer<typeof Charges>;
