import { describe, expect, it } from "vitest";
import { charge } from "./charge.ts";
import { divideHalfEven, formatPico, parsePico } from "./money.ts";
import { defaultPriceTable, parsePriceTable } from "./table.ts";

const MiB = 1024 * 1024;
const table = defaultPriceTable();
const bill = (
  wall_us: number,
  cpu_us: number | null,
  memory = 128,
  status: "succeeded" | "platform_error" = "succeeded",
) =>
  charge(
    {
      usage: { wall_us, cpu_us, memory_peak_bytes: 20 * MiB },
      limits: { memory_bytes: memory * MiB },
      status,
      calls: 1,
    },
    table,
  );
const line = (charges: ReturnType<typeof bill>, sku: string) => charges.lines.find((one) => one.sku === sku)!;

describe("a charge", () => {
  it("of 128 MiB for 120 ms is 250000 pico of memory, and for 1 ms 2083", () => {
    expect(line(bill(119_200, 0), "memory").amount).toBe("0.000000250000");
    expect(line(bill(1, 0), "memory").amount).toBe("0.000000002083");
  });

  it("of one request is a fifth of a millionth", () => {
    expect(line(bill(1, 0), "requests")).toMatchObject({
      quantity: "1",
      unit_price: "0.0000002",
      amount: "0.000000200000",
    });
  });

  it("rounds time and CPU up to whole milliseconds, and says so", () => {
    const { billed, lines } = bill(4_800, 4_210);
    expect(billed).toEqual({ requests: 1, duration_ms: 5, memory_mib_ms: 640, cpu_ms: 5 });
    expect(lines.map((one) => one.rule)).toEqual([
      "1 for each call",
      "limit 128 MiB × 5 ms (init + handler 4800 µs, rounded up)",
      "5 ms (4210 µs, rounded up)",
    ]);
  });

  it("has lines that sum to its total, for 20000 random uses", () => {
    for (let i = 0; i < 20_000; i += 1) {
      const charges = bill(
        Math.floor(Math.random() * 1e9),
        Math.floor(Math.random() * 1e9),
        16 + Math.floor(Math.random() * 16_000),
      );
      const sum = charges.lines.reduce((total, one) => total + parsePico(one.amount), 0n);
      expect(formatPico(sum)).toBe(charges.total.amount);
    }
  });

  it("of what was not measured is nothing, and says that it was not measured", () => {
    expect(line(bill(1000, null), "cpu")).toMatchObject({
      amount: "0.000000000000",
      rule: expect.stringContaining("not measured"),
    });
  });

  it("for a fault of the platform is credited in full, in the open", () => {
    const charges = bill(5_000, 5_000, 128, "platform_error");
    expect(charges.total.amount).toBe("0.000000000000");
    const credit = line(charges, "platform_error_credit");
    expect(credit.amount).toMatch(/^-0\.0000/);
  });

  it("by peak takes what was used, in whole MiB, at least 16", () => {
    const peak = parsePriceTable(JSON.stringify({ ...table, sha256: undefined, memory_basis: "peak" }));
    const by = (memory_peak_bytes: number | null) =>
      charge(
        {
          usage: { wall_us: 1000, cpu_us: 0, memory_peak_bytes },
          limits: { memory_bytes: 128 * MiB },
          status: "succeeded",
          calls: 1,
        },
        peak,
      );
    const used = (bytes: number | null) => by(bytes).billed.memory_mib_ms;
    expect([used(1), used(16 * MiB + 1), used(20 * MiB), used(null)]).toEqual([16, 17, 20, 0]);
    expect(line(by(null), "memory").rule).toContain("not measured");
  });

  it("of a build is for no call", () => {
    const usage = { wall_us: 1000, cpu_us: 0, memory_peak_bytes: 0 };
    const charges = charge({ usage, limits: { memory_bytes: MiB }, status: "succeeded", calls: 0 }, table);
    expect([line(charges, "requests").amount, line(charges, "memory").amount]).toEqual([
      ...["0.000000000000", "0.000000000016"],
    ]);
    expect(charges.lines.map(({ rule }) => rule)).toEqual([
      "a build is no call",
      "limit 1 MiB × 1 ms (its boxes 1000 µs, rounded up)",
      "0 ms (0 µs, rounded up)",
    ]);
    const cached = charge(
      { usage: { ...usage, wall_us: 0 }, limits: { memory_bytes: 0 }, status: "succeeded", calls: 0 },
      table,
    );
    expect([cached.billed.duration_ms, cached.total.amount]).toEqual([0, "0.000000000000"]);
  });

  it("replays: the same use and the same table give the same bill", () => {
    expect(bill(123_456, 7_890)).toEqual(bill(123_456, 7_890));
  });
});

describe("money", () => {
  it.each([
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [-5n, 2n, -2n],
    [10n, 4n, 2n],
    [11n, 4n, 3n],
  ])("%s / %s is %s, half to even", (a, b, quotient) => expect(divideHalfEven(a, b)).toBe(quotient));

  it("reads and prints decimals exactly", () => {
    for (const text of ["0.000000000001", "9007199254740993.123456789012", "0.200000000000"])
      expect(formatPico(parsePico(text))).toBe(text);
    for (const text of ["1e-3", "-1", "0.1234567890123", "", "."]) expect(() => parsePico(text)).toThrow(RangeError);
  });

  it("in a table that cannot be used is refused, naming what is wrong", () => {
    const broken = { ...table, skus: [{ ...table.skus[0], price: "a lot" }] };
    expect(() => parsePriceTable(JSON.stringify(broken))).toThrow(/price[\s\S]*decimal string/);
  });
});
