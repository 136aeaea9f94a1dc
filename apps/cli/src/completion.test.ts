import { execFileSync } from "node:child_process";
import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { completion } from "./completion.ts";

const program = new Command("mayfly").option("--key <key>");
program
  .command("build <path>")
  .option("-t, --tag <name>")
  .option("--target <stage>")
  .addOption(new Option("--squash").hideHelp());
program.command("bill <name>").option("--json");
const image = program.command("image");
image.command("ls").option("--json");
image.command("load [file]");

/** What bash offers for the last of these words. */
const offered = (...words: string[]) =>
  execFileSync("bash", [
    "-c",
    `${completion(program, "bash")}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mayfly; echo "\${COMPREPLY[*]}"`,
    "bash",
    "mayfly",
    ...words,
  ])
    .toString()
    .trim();

describe("a shell completes", () => {
  it.each([
    [["b"], "build bill"],
    [["--k"], "--key"],
    [["build", "--ta"], "--tag --target"],
    [["build", ".", "--tag", "x", "--tar"], "--target"],
    [["image", "l"], "ls load"],
    [["image", "ls", "--"], "--json --help"],
    [["bill", "x"], ""],
  ])("%j to %j", (words, expected) => expect(offered(...words)).toBe(expected));

  it("in bash and zsh", () => {
    expect(completion(program, "zsh")).toMatch(/^autoload.*bashcompinit/);
    expect(() => completion(program, "tcsh")).toThrow("only for bash and zsh");
  });
});
