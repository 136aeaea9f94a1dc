import { stripVTControlCharacters } from "node:util";
import type { InvocationRecord } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { renderBill } from "./render-bill.ts";
import { RECORD } from "./testing/record.ts";

const plain = (change: Partial<InvocationRecord> = {}) => renderBill({ ...RECORD, ...change }, { color: false });
const withUsage = (usage: Partial<InvocationRecord["bill"]["usage"]>) => ({
  bill: { ...RECORD.bill, usage: { ...RECORD.bill.usage, ...usage } },
});

describe("a bill in words", () => {
  it("reads as it should, from the head to the sentence", async () => {
    await expect(plain()).toMatchFileSnapshot("./testing/bill.txt");
  });

  it("marks the phases that are billed without needing colour, and shows none as nothing", () => {
    const text = plain({ phases_us: { queue: 0, box: 10, init: 1_000_000, handler: 0, teardown: 0 } });
    expect(text).toMatch(/^ {2}queue +0 µs$/m);
    expect(text).toMatch(/^ {2}box +10 µs {2}▏$/m);
    expect(text).toMatch(/^ {2}init +1\.00 s {2}█{40}$/m);
  });

  it("says what was not measured, never 0", () => {
    const text = plain(withUsage({ cpu_us: null, memory_peak_bytes: null, pids_peak: null }));
    expect(text).toMatch(/cpu +not measured/);
    expect(text).toMatch(/memory peak +not measured/);
    expect(text.split("\n").at(-1)).toBe("This call cost 0.000000210417 USD.");
  });

  it("advises less memory only where at most half of it would have been enough, and never less than can be had", () => {
    const last = (peak: number) =>
      plain(withUsage({ memory_peak_bytes: peak * 1024 * 1024 }))
        .split("\n")
        .at(-1);
    expect(last(1)).toContain("--memory 16MiB would have held it, at 13 % of the memory line");
    expect(last(40)).toContain("--memory 64MiB would have held it, at 50 % of the memory line");
    expect(last(60)).toMatch(/of its 128 MiB\.$/);
    expect(last(128)).toMatch(/of its 128 MiB\.$/);
  });

  it("advises nothing where memory is billed by its peak", () => {
    const lines = RECORD.bill.lines.map((line) => ({ ...line, rule: line.rule.replace("limit", "peak") }));
    expect(plain({ bill: { ...RECORD.bill, lines } })).not.toContain("--memory");
  });

  it("tells an error, how much memory would be more, and whose fault was ours", () => {
    const text = plain({ status: "out_of_memory", http_status: 502, error: { code: "out_of_memory", message: "no" } });
    expect(text).toContain("out_of_memory: no");
    expect(text).toContain("--memory 256MiB gives it twice as much");
    expect(plain({ status: "platform_error", http_status: null })).toContain("nothing is due");
  });

  it("is the same text with colour, but for the colour", () => {
    const coloured = renderBill(RECORD, { color: true });
    expect(coloured).not.toBe(plain());
    expect(stripVTControlCharacters(coloured)).toBe(plain());
  });
});
