/** What `GET /v1/usage` gives: calls of one function on one day, in one currency. */
export interface UsageRow {
  readonly function: string;
  readonly day: string;
  readonly currency: string;
  readonly calls: number;
  /** Decimal string with 12 places. */
  readonly amount: string;
}

export interface Sum {
  readonly calls: number;
  readonly amount: string;
  readonly currency: string;
}

export const GROUPS = ["function", "day"] as const;

/** Rows added up, exactly; one sum for each currency, for two of them do not add up to anything. */
export function sumsBy(
  rows: readonly UsageRow[],
  by: (typeof GROUPS)[number],
): { rows: ({ key: string } & Sum)[]; totals: Sum[] } {
  const grouped = [...Map.groupBy(rows, (row) => `${row[by]}\0${row.currency}`).values()];
  const totals = [...Map.groupBy(rows, (row) => row.currency).values()];
  const keyed = grouped.map((group) => ({ key: group[0]![by], ...sumOf(group) }));
  return { rows: keyed.sort((a, b) => (a.key < b.key ? -1 : 1)), totals: totals.map(sumOf) };
}

function sumOf(rows: readonly UsageRow[]): Sum {
  const pico = rows.reduce((sum, row) => sum + BigInt(row.amount.replace(".", "")), 0n);
  const digits = (pico < 0n ? -pico : pico).toString().padStart(13, "0");
  return {
    calls: rows.reduce((sum, row) => sum + row.calls, 0),
    amount: `${pico < 0n ? "-" : ""}${digits.slice(0, -12)}.${digits.slice(-12)}`,
    currency: rows[0]!.currency,
  };
}
