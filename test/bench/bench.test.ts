import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { differences, leftovers } from "../../infra/src/test/leftovers.ts";
import { parseCommandLine } from "./command-line.ts";
import { evenly, poisson } from "./load/schedule.ts";
import { summarise } from "./measure/blocks.ts";
import { cgroupMode } from "./measure/machine.ts";
import { quantile, spreadOf } from "./measure/quantile.ts";
import { figure } from "./report/figure.ts";
import { formatPlot } from "./report/plot.ts";
import { isReached } from "./report/result.ts";
import { formatTable } from "./report/table.ts";

describe("figures of a bench", () => {
  it("are quantiles by nearest rank, whatever the order", () => {
    const values = [9, 1, 3, 2, 10, 4, 5, 6, 7, 8];
    expect([0, 0.5, 0.95, 0.99, 1].map((q) => quantile(values, q))).toEqual([1, 5, 10, 10, 10]);
    expect(quantile([7], 0.99)).toBe(7);
    expect(() => quantile([], 0.5)).toThrow("no values");
  });

  it("of several blocks are the middle one and the range", () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, low: 1, high: 5 });
  });

  it("of CPU are a mean over all operations, not over blocks", () => {
    const summary = summarise([
      { each_ms: [1, 1, 1], cpu_ms: 2 },
      { each_ms: [5], cpu_ms: 10 },
    ]);
    expect(summary).toMatchObject({ cpu_ms: 4, operations: 4, p95_ms: 5, p50: { median: 1, low: 1, high: 5 } });
  });

  it("are shown with three significant digits", () => {
    expect([0, 0.00512, 0.1234, 1.005, 12.34, 123.4, 12345].map(figure)).toEqual([
      ...["0", "0.005", "0.123", "1.00", "12.3", "123", "12345"],
    ]);
  });

  it("that are aimed at are reached at the wanted figure itself", () => {
    const ratio = { measure: "m", unit: "" };
    expect(isReached({ ...ratio, value: 10, wanted: { atLeast: 10 } })).toBe(true);
    expect(isReached({ ...ratio, value: 9.99, wanted: { atLeast: 10 } })).toBe(false);
    expect(isReached({ ...ratio, value: 1.5, wanted: { atMost: 1.5 } })).toBe(true);
    expect(isReached({ ...ratio, value: Number.NaN, wanted: { atMost: 1.5 } })).toBe(false);
  });
});

describe("an open loop's schedule", () => {
  it("is even: so many a second, the first at once", () => {
    expect(evenly(4, 1.5)).toEqual([0, 250, 500, 750, 1000, 1250]);
  });

  it("of independent arrivals has the wanted rate, is sorted, ends in time, and is the same for the same seed", () => {
    const due = poisson(50, 100, 7);
    expect(due).toEqual(poisson(50, 100, 7));
    expect(due).not.toEqual(poisson(50, 100, 8));
    expect(due).toEqual(due.toSorted((a, b) => a - b));
    expect(due.at(-1)).toBeLessThan(100_000);
    expect(Math.abs(due.length - 5000)).toBeLessThan(300);
    // The gaps' deviation is as large as their mean: even ones would have none.
    const gaps = due.slice(1).map((at, i) => at - due[i]!);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(deviation / mean).toBeGreaterThan(0.9);
    expect(deviation / mean).toBeLessThan(1.1);
  });
});

describe("a report", () => {
  it("is a table with its figures to the right, whatever stands in a cell", () => {
    expect(formatTable({ columns: ["", "ms"], rows: [["a|b", "1.25"]] })).toBe(
      ["|      |   ms |", "|------|-----:|", "| a\\|b | 1.25 |", ""].join("\n"),
    );
  });

  it("is a plot in which bars are to scale and names are escaped", () => {
    const bar = { low: 5, high: 10, ours: false };
    const svg = formatPlot([
      {
        title: "a < b",
        unit: "ms",
        bars: [
          { ...bar, label: "whole", value: 10, low: 10 },
          { ...bar, label: "half & half", value: 5, ours: true },
        ],
      },
    ]);
    expect(svg).toContain("a &lt; b");
    expect(svg).toContain("half &amp; half");
    const widths = [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)].map(([, kind, width]) => [
      kind,
      width,
    ]);
    expect(widths).toEqual([
      ["bar", "400.0"],
      ["ours", "200.0"],
    ]);
    expect(svg).toContain("prefers-color-scheme:dark");
  });

  it("says which cgroups there were", () => {
    const v1 = "30 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory,favordynmods";
    const v2 = "31 24 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
    expect(cgroupMode(v1)).toBe("v1, with favordynmods");
    expect(cgroupMode(v2)).toBe("v2, without favordynmods");
    expect(cgroupMode(`${v1}\n${v2.replace("/cgroup rw", "/cgroup/unified rw")}`)).toMatch(/^v1, hybrid/);
  });
});

describe("a bench's command line", () => {
  it("names what it cannot take", () => {
    expect(parseCommandLine(["nothing"])).toMatchObject({
      kind: "wrong",
      message: /there is no nothing; there is .*box/,
    });
    expect(parseCommandLine(["box", "--count", "0"])).toMatchObject({ kind: "wrong", message: /--count 0/ });
    expect(parseCommandLine(["--count", "5"])).toMatchObject({ kind: "wrong" });
    expect(parseCommandLine(["--nothing"])).toMatchObject({ kind: "wrong", message: /--nothing/ });
  });

  it("writes the document for a whole run, and for a part when told to", () => {
    expect(parseCommandLine([])).toMatchObject({ kind: "run", write: true });
    expect(parseCommandLine(["box"])).toMatchObject({ kind: "run", write: false });
    expect(parseCommandLine(["box", "--write"])).toMatchObject({ kind: "run", write: true });
  });
});

it("the peers and we run, side by side, and leave nothing", async () => {
  // Its homes and folders are made below this one, so that what is left can be told from what others do on the machine.
  const dir = mkdtempSync(join(tmpdir(), "bench-test-"));
  chmodSync(dir, 0o755);
  const before = leftovers();
  const args = [join(import.meta.dirname, "main.ts"), "box", "start", "--blocks", "1", "--count", "1"];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: dir },
  });
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  expect(code, errors).toBe(0);
  const named = (table: string) => [...table.matchAll(/^\| (\S[^|]*?) +\| +[\d.]+ \(/gm)].map((match) => match[1]);
  const [, start, box] = out.split(/^## /m);
  expect(named(box!)).toEqual([
    "mayfly box",
    "bubblewrap + our cgroup writes",
    "bubblewrap",
    "crun",
    "runc",
    "no container: spawn",
  ]);
  expect(named(start!)).toEqual(
    expect.arrayContaining(["mayfly, booted", "mayfly, forked", "crun + node", "runc + node", "node, no container"]),
  );
  expect(readdirSync(dir)).toEqual([]);
  rmdirSync(dir);
  const left = differences(before, leftovers()).filter((line) => line.includes(dir) || line.includes("/bench-"));
  expect(left).toEqual([]);
}, 300_000);
