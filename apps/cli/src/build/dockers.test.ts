import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { CliError, EXIT } from "../failure.ts";
import { addDockersFlags } from "./dockers.ts";

const parsed = (...args: string[]) => {
  const command = new Command("build").argument("<path>").option("--no-cache").exitOverride();
  addDockersFlags(command);
  command.parse(args, { from: "user" });
  return command;
};
const refusal = (...args: string[]): CliError => {
  try {
    parsed(...args);
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error("it was taken");
};

describe("a flag of docker build that is none here", () => {
  it.each([
    [["-o", "out", "."], "--output is not possible here", "mayfly image export"],
    [["--push", "."], "--push is not possible here", "mayfly image push"],
    [["--ulimit", "nofile=1", "."], "--ulimit", "ulimit in the RUN"],
    [["--shm-size", "1g", "."], "--shm-size", "type=tmpfs"],
    [["-m", "1g", "."], "--memory", "/v1/limits"],
    [["--ssh", "default", "."], "--ssh", "--secret"],
    [["--no-cache-filter", "a", "."], "--no-cache-filter", "--no-cache"],
    [["--provenance=true", "."], "--provenance true", "--provenance=false"],
  ])("%j is refused with what to do instead", (args, message, hint) => {
    const error = refusal(...args);
    expect([error.exit, error.message, error.hint]).toEqual([
      EXIT.usage,
      expect.stringContaining(message),
      expect.stringContaining(hint),
    ]);
  });

  it.each([
    [["--rm", "--force-rm", "--load", "--compress", "."]],
    [["--provenance=false", "--sbom=false", "--attest", "type=sbom,disabled=true", "."]],
    [["--cache-from", "type=gha", "--cache-to=type=inline", "."]],
  ])("%j is taken: it asks for what is so, or for what may be missing", (args) => {
    const command = parsed(...args);
    expect(command.args).toEqual(["."]);
    expect(command.opts().cache).toBe(true);
  });

  it("is in no help", () => expect(parsed(".").helpInformation()).not.toMatch(/squash|cache-from|provenance/));
});
