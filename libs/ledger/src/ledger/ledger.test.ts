import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleRecord } from "../testing/sample-record.ts";
import { Ledger } from "./ledger.ts";

describe("the ledger", () => {
  let dir: string;
  let ledger: Ledger;
  const path = () => join(dir, "ledger.sqlite");
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-ledger-"));
    ledger = await Ledger.open(path());
  });
  afterEach(async () => {
    await ledger.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const tamper = (sql: string) => {
    const raw = new DatabaseSync(path());
    raw.exec(sql);
    raw.close();
  };

  it("enters a record once, however often it arrives, and keeps the first", async () => {
    const record = sampleRecord(1);
    await ledger.enter([record]);
    await ledger.enter([{ ...record, record: { ...record.record, status: "crashed" } }, record]);
    const all = await ledger.list({ limit: 10 });
    expect(all.map((r) => [r.id, r.status, r.bill.ledger.seq])).toEqual([[record.record.id, "succeeded", 1]]);
  });

  it("chains every entry to the one before", async () => {
    await ledger.enter([1, 2, 3].map((n) => sampleRecord(n)));
    const [third, second] = await ledger.list({ limit: 2 });
    expect(third!.bill.ledger.prev).toBe(second!.bill.ledger.hash);
    expect(await ledger.verifyChain()).toBe(null);
  });

  it.each([
    [
      "one byte of a record is changed",
      `UPDATE bill SET record = replace(record, '"succeeded"', '"succeedee"') WHERE seq = 2`,
      2,
    ],
    ["a sum for statements is changed", "UPDATE bill SET total_pico = total_pico + 1 WHERE seq = 2", 2],
    ["a bill is moved to another function", "UPDATE bill SET function = 'other' WHERE seq = 3", 3],
    [
      "two entries are swapped",
      "UPDATE bill SET seq = CASE seq WHEN 1 THEN -2 WHEN 2 THEN -1 ELSE seq END; UPDATE bill SET seq = -seq WHERE seq < 0",
      1,
    ],
    ["an entry is taken out", "DELETE FROM bill WHERE seq = 2", 2],
    [
      "an entry's hash is made to fit",
      `UPDATE bill SET record = replace(record, '"succeeded"', '"x"'), hash = 'sha256:0' WHERE seq = 2`,
      2,
    ],
  ])("finds where, when %s", async (_, sql, seq) => {
    await ledger.enter([1, 2, 3].map((n) => sampleRecord(n)));
    tamper(sql);
    expect((await ledger.verifyChain())?.seq).toBe(seq);
  });

  it("enters all records of a batch or none", async () => {
    const broken = sampleRecord(2);
    const unfit = {
      ...broken,
      record: { ...broken.record, bill: { ...broken.record.bill, total: { currency: "USD", amount: "lots" } } },
    };
    await expect(ledger.enter([sampleRecord(1), unfit])).rejects.toThrow();
    expect(await ledger.list({ limit: 10 })).toEqual([]);
  });

  it("lists by function, status and time, newest first, page by page", async () => {
    await ledger.enter(Array.from({ length: 10 }, (_, n) => sampleRecord(n, { function: n % 2 ? "odd" : "even" })));
    const first = await ledger.list({ function: "odd", limit: 3 });
    const rest = await ledger.list({ function: "odd", limit: 3, before: first.at(-1)!.bill.ledger.seq });
    expect([...first, ...rest].map((r) => r.bill.ledger.seq)).toEqual([10, 8, 6, 4, 2]);
    expect(await ledger.list({ status: "timeout", limit: 3 })).toEqual([]);
  });

  it("sums 2000 bills to exactly their sum", async () => {
    const records = Array.from({ length: 2_000 }, (_, n) =>
      sampleRecord(n, { function: `f${n % 7}`, wall_us: n * 37 }),
    );
    await ledger.enter(records);
    const rows = await ledger.usage({});
    const total = rows.reduce((sum, row) => sum + row.total_pico, 0n);
    const expected = records.reduce((sum, { record }) => sum + BigInt(record.bill.total.amount.replace(".", "")), 0n);
    expect(total).toBe(expected);
    expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(2_000);
  });

  it("keeps a log beside its bill, and drops logs without dropping bills", async () => {
    const record = sampleRecord(1);
    await ledger.enter([{ ...record, log: [{ t_us: 1, stream: "stdout", text: "hello" }], log_dropped_bytes: 3 }]);
    expect(await ledger.log(record.record.id)).toEqual({
      lines: [{ t_us: 1, stream: "stdout", text: "hello" }],
      dropped_bytes: 3,
    });
    await ledger.pruneLogs("2999-01-01T00:00:00Z");
    expect(await ledger.log(record.record.id)).toBe(null);
    expect(await ledger.invocation(record.record.id)).not.toBe(null);
  });
});
