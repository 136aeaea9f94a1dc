import type { Arg } from "../instructions/instruction.ts";
import type { Stages } from "../instructions/stages.ts";
import type { NodeFile } from "../nodes/node.ts";
import type { Warnings } from "./warnings.ts";

const RESERVED = ["context", "scratch"];

/** What can be said before any variable has a value. */
export function checkFile(file: NodeFile, { globals, stages }: Stages, warnings: Warnings): void {
  for (const range of file.emptyContinuations) warnings.add("NoEmptyContinuation", range);
  for (const arg of globals) describeArg(arg, warnings);
  checkStageNames(stages, warnings);
  checkCasing(stages, warnings);
}

function checkStageNames(stages: Stages["stages"], warnings: Warnings): void {
  const seen = new Set<string>();
  for (const { from } of stages) {
    if (from.as && from.as.name !== from.stage) warnings.add("StageNameCasing", from.range, from.as.name);
    if (from.as && isOneCase(from.word) && from.as.word !== sameCase(from.as.word, from.word)) {
      warnings.add("FromAsCasing", from.range, from.word, from.as.word);
    }
    describe("FROM", from.comments, from.stage === "" ? [] : [from.stage], from.range, warnings);
    if (from.stage === "") continue;
    if (RESERVED.includes(from.stage)) warnings.add("ReservedStageName", from.range, from.stage);
    if (seen.has(from.stage)) warnings.add("DuplicateStageName", from.range, from.stage);
    seen.add(from.stage);
  }
}

/** All keywords in one case: that of most of them. */
function checkCasing(stages: Stages["stages"], warnings: Warnings): void {
  const all = stages.flatMap(({ from, instructions }) => [from, ...instructions]);
  const words = all.map(({ word }) => word).filter(isOneCase);
  const lower = words.filter((word) => word === word.toLowerCase()).length;
  const mostlyLower = lower > words.length - lower;
  for (const { kind, word, range } of all) {
    const right = mostlyLower ? word === word.toLowerCase() : isUpper(word);
    if (!right) warnings.add("ConsistentInstructionCasing", range, word, mostlyLower ? "lowercase" : "uppercase");
    if (kind === "maintainer") warnings.add("MaintainerDeprecated", range);
  }
  for (const instruction of all) if (instruction.kind === "arg") describeArg(instruction, warnings);
}

function describeArg({ args, comments, range }: Arg, warnings: Warnings): void {
  describe(
    "ARG",
    comments,
    args.map(({ name }) => name),
    range,
    warnings,
  );
}

/** The comment above an ARG or a stage describes it when it begins with its name. */
function describe(
  word: string,
  comments: readonly string[],
  names: readonly string[],
  range: Parameters<Warnings["add"]>[1],
  warnings: Warnings,
): void {
  const comment = comments.at(-1);
  const [name] = names;
  if (comment === undefined || name === undefined || names.includes(comment.split(" ")[0]!)) return;
  warnings.add("InvalidDefinitionDescription", range, word, names.length > 1 ? "<arg_key>" : name);
}

const sameCase = (word: string, model: string): string =>
  model === model.toLowerCase() ? word.toLowerCase() : word.toUpperCase();
const isUpper = (word: string): boolean => word === word.toUpperCase();
const isOneCase = (word: string): boolean => isUpper(word) || word === word.toLowerCase();
