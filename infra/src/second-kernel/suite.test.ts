import { describe, expect, it } from "vitest";
import { readReport } from "./suite.ts";

const report = (...testResults: object[]): string => JSON.stringify({ testResults });
const file = (status: string, ...tests: [string, string, string[]?][]): object => ({
  name: "/x/a.test.ts",
  status,
  message: "cannot load a.test.ts",
  assertionResults: tests.map(([fullName, state, failureMessages]) => ({ fullName, status: state, failureMessages })),
});

describe("readReport", () => {
  it("counts what passed and names what failed", () => {
    const json = report(file("passed", ["a", "passed"]), file("failed", ["b", "passed"], ["c", "failed", ["boom"]]));
    expect(readReport(json, 1, "")).toEqual({ passed: 2, failed: 1, failures: [{ name: "c", message: "boom" }] });
  });

  it("takes a skipped test for a failure", () => {
    const json = report(file("passed", ["a", "passed"], ["b", "skipped"]));
    expect(readReport(json, 0, "").failures).toEqual([{ name: "b", message: "skipped" }]);
  });

  it("shows what vitest said when a set-up failed, which its report leaves out", () => {
    const json = report(file("failed", ["a", "skipped"], ["b", "skipped"]));
    const { failed, failures } = readReport(json, 1, "the set-up broke");
    expect([failed, failures[0]?.message, failures[1]?.message]).toEqual([
      2,
      "skipped; vitest said:\nthe set-up broke",
      "skipped",
    ]);
  });

  it("takes a file that could not be loaded for a failure", () => {
    expect(readReport(report(file("failed")), 1, "").failures).toEqual([
      { name: "/x/a.test.ts", message: "cannot load a.test.ts" },
    ]);
  });

  it.each([
    ["no report", null, 1],
    ["a report without tests", report(), 0],
    ["a bad end after good tests", report(file("passed", ["a", "passed"])), 137],
  ])("takes %s for a failure and shows the output", (_, json, status) => {
    const result = readReport(json, status, "what vitest said");
    expect(result.failed).toBe(1);
    expect(result.failures[0]?.message).toContain("what vitest said");
  });
});
