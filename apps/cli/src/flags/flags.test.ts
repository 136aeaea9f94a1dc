import { describe, expect, it } from "vitest";
import { settingsOf } from "../commands/deploy.ts";
import { momentOf } from "./moment.ts";
import { wholeNumber } from "./whole-number.ts";

const NOW = Date.UTC(2026, 10, 24, 12);

describe("a time", () => {
  it.each([
    ["90s", "2026-11-24T11:58:30.000Z"],
    ["24h", "2026-11-23T12:00:00.000Z"],
    ["7d", "2026-11-17T12:00:00.000Z"],
    ["2026-11-01", "2026-11-01T00:00:00.000Z"],
    ["2026-11-01T02:00:00+02:00", "2026-11-01T00:00:00.000Z"],
  ])("%s is %s", (text, time) => expect(momentOf("--since", text, NOW)).toBe(time));

  it.each(["soon", "5", "", "1 fortnight", "-1h"])("%j is refused by the flag's name", (text) =>
    expect(() => momentOf("--since", text, NOW)).toThrow("--since"),
  );
});

describe("a number", () => {
  it("is whole and above 0", () => {
    expect(wholeNumber("--limit", "1000")).toBe(1000);
    for (const text of ["0", "-1", "1.5", "many", ""]) expect(() => wholeNumber("--limit", text)).toThrow("--limit");
  });
});

describe("settings", () => {
  it("go to the server as they were typed, those that were not stay as they are there", () => {
    const flags = {
      memory: "64MiB",
      env: ["A=1", "B=x=y", "C="],
      label: ["team=a"],
      buildArg: ["B=b"],
      name: "n",
      json: true,
    };
    expect(settingsOf(flags)).toEqual([
      ["memory", "64MiB"],
      ["env.A", "1"],
      ["env.B", "x=y"],
      ["env.C", ""],
      ["label.team", "a"],
      ["build-arg.B", "b"],
    ]);
  });

  it("that are no NAME=value are refused", () => {
    for (const env of ["A", "=1"]) expect(() => settingsOf({ env: [env] })).toThrow(`--env ${env}`);
  });
});
