import { describe, expect, it } from "vitest";
import { sumsBy } from "./sums.ts";

const row = (name: string, day: string, calls: number, amount: string, currency = "USD") => ({
  function: name,
  day,
  calls,
  amount,
  currency,
});

describe("sums of a statement", () => {
  const rows = [
    row("b", "2026-11-23", 1, "0.100000000001"),
    row("a", "2026-11-24", 2, "9007199254740993.000000000001"),
    row("b", "2026-11-24", 3, "0.200000000002"),
  ];

  it("are by function or by day, exact beyond what a double holds", () => {
    expect(sumsBy(rows, "function").rows).toEqual([
      { key: "a", calls: 2, amount: "9007199254740993.000000000001", currency: "USD" },
      { key: "b", calls: 4, amount: "0.300000000003", currency: "USD" },
    ]);
    expect(sumsBy(rows, "day").rows.map(({ key, amount }) => [key, amount])).toEqual([
      ["2026-11-23", "0.100000000001"],
      ["2026-11-24", "9007199254740993.200000000003"],
    ]);
    expect(sumsBy(rows, "day").totals).toEqual([
      { calls: 6, amount: "9007199254740993.300000000004", currency: "USD" },
    ]);
  });

  it("never add two currencies", () => {
    const { rows: summed, totals } = sumsBy([...rows, row("b", "2026-11-24", 1, "5.000000000000", "EUR")], "function");
    expect(summed.map(({ key, currency }) => [key, currency])).toEqual([
      ["a", "USD"],
      ["b", "USD"],
      ["b", "EUR"],
    ]);
    expect(totals.map(({ currency }) => currency)).toEqual(["USD", "EUR"]);
  });

  it("of nothing are nothing", () => expect(sumsBy([], "day")).toEqual({ rows: [], totals: [] }));
});
