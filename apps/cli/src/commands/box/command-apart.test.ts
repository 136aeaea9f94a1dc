import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { commandApart } from "./command-apart.ts";
import { addBoxCommands } from "./program.ts";

const program = new Command("mayfly").option("--key <key>", "key").option("--server <url>", "server");
addBoxCommands(program, () => {
  throw new Error("nobody is asked");
});

describe("mayfly run", () => {
  it.each([
    ["run image ls -la", "run -- image ls -la"],
    ["run -i --rm -e A=1 image sh -c x", "run -i --rm -e A=1 -- image sh -c x"],
    ["run -ie A=1 image --rm", "run -ie A=1 -- image --rm"],
    ["run -iv/a:/b image -d", "run -iv/a:/b -- image -d"],
    ["run --name n --memory=64m image run run", "run --name n --memory=64m -- image run run"],
    ["--key run --server s run --key k image -h", "--key run --server s run --key k -- image -h"],
    ["run -- image -x", "run -- image -x"],
    ["run --help", "run --help"],
    ["logs run -f", "logs run -f"],
    ["ps -a", "ps -a"],
  ])("%s is read as %s", (given, read) =>
    expect(commandApart(["node", "mayfly", ...given.split(" ")], program)).toEqual([
      "node",
      "mayfly",
      ...read.split(" "),
    ]),
  );
});
