import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parsePico } from "./money.ts";

const Decimal = z.string().refine((text) => {
  try {
    return parsePico(text) >= 0n;
  } catch {
    return false;
  }
}, "a decimal string with at most 12 places");

/** What a price can be put on, and how many of it are one of the unit. */
export const METERS = { requests: 1n, memory_mib_ms: 1_024_000n, cpu_ms: 1_000n } as const;
export type MeterName = keyof typeof METERS;

const Sku = z.object({
  sku: z.string(),
  meter: z.enum(["requests", "memory_mib_ms", "cpu_ms"]),
  unit: z.string(),
  /** The price is for so many units. */
  per: z.string().regex(/^[1-9]\d*$/),
  price: Decimal,
});

/** A versioned price table. A version that was used is never changed: bills name it by its digest. */
export const PriceTableSchema = z.object({
  id: z.string(),
  version: z.int().positive(),
  currency: z.string().length(3),
  effective_from: z.string(),
  /** `limit`: memory as configured, as Lambda bills. `peak`: as used, in whole MiB, at least 16. */
  memory_basis: z.enum(["limit", "peak"]),
  skus: z.array(Sku).min(1),
});

export interface PriceTable extends z.infer<typeof PriceTableSchema> {
  /** Hex digest of the file. */
  readonly sha256: string;
}

/** @throws Error naming what in the table cannot be used */
export function parsePriceTable(text: string): PriceTable {
  const parsed = PriceTableSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`price table: ${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, sha256: createHash("sha256").update(text).digest("hex") };
}

/** The table in force: `default`, version 1. Operators set their own prices; these are in the order of what clouds ask. */
export const defaultPriceTable = (): PriceTable =>
  parsePriceTable(readFileSync(join(import.meta.dirname, "default.v1.json"), "utf8"));
