import { describe, expect, it } from "vitest";
import { queryOf } from "../commands/build.ts";

describe("what a build is asked for", () => {
  it("goes to the server by the names that the API has", () => {
    const flags = {
      ...{ tag: ["a:1", "b:1"], target: "t", cache: false, pull: true, platform: "linux/amd64", network: "none" },
      ...{ label: ["x=y=z", "empty"], addHost: ["a:192.0.2.1"] },
    };
    expect(queryOf(flags, {})).toEqual([
      ["t", "a:1"],
      ["t", "b:1"],
      ["target", "t"],
      ["no-cache", "true"],
      ["pull", "true"],
      ["platform", "linux/amd64"],
      ["run-network", "none"],
      ["add-host", "a:192.0.2.1"],
      ["label.x", "y=z"],
      ["label.empty", ""],
    ]);
    expect(queryOf({ cache: true }, { A: "1" })).toEqual([]);
  });

  it("has values of build arguments from the environment, and none for those that are not there", () => {
    expect(queryOf({ buildArg: ["A", "B", "C=3", "D="] }, { A: "1" })).toEqual([
      ["build-arg.A", "1"],
      ["build-arg.C", "3"],
      ["build-arg.D", ""],
    ]);
    expect(() => queryOf({ buildArg: ["=x"] }, {})).toThrow("--build-arg =x");
  });

  it("has the time that the environment gives, unless it was given one", () => {
    const env = { SOURCE_DATE_EPOCH: "7" };
    expect(queryOf({}, env)).toEqual([["build-arg.SOURCE_DATE_EPOCH", "7"]]);
    expect(queryOf({ buildArg: ["SOURCE_DATE_EPOCH=8"] }, env)).toEqual([["build-arg.SOURCE_DATE_EPOCH", "8"]]);
    expect(queryOf({ buildArg: ["SOURCE_DATE_EPOCH"] }, env)).toEqual([["build-arg.SOURCE_DATE_EPOCH", "7"]]);
  });
});
