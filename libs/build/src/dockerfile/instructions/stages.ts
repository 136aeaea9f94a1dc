import type { Escape } from "../lines/directives.ts";
import type { Node, NodeFile } from "../nodes/node.ts";
import { DockerfileError } from "../source/failure.ts";
import type { Arg, From, Instruction } from "./instruction.ts";
import { readInstruction } from "./read.ts";

export interface Stage {
  readonly from: From;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile as typed values; which variables have which values is not looked at. */
export interface Stages {
  /** ARGs before the first FROM. */
  readonly globals: readonly Arg[];
  readonly stages: readonly Stage[];
  readonly escape: Escape;
}

/** @throws DockerfileError, saying on which line */
export function readStages({ nodes, escape: token }: NodeFile): Stages {
  const globals: Arg[] = [];
  const stages: { from: From; instructions: Instruction[] }[] = [];
  for (const node of nodes) {
    const instruction = onItsLine(node, () => readInstruction(node));
    if (instruction.kind === "from") stages.push({ from: instruction, instructions: [] });
    else if (stages.length > 0) stages.at(-1)!.instructions.push(instruction);
    else if (instruction.kind === "arg") globals.push(instruction);
    else throw new DockerfileError("no build stage in current context", node.range);
  }
  if (stages.length === 0) throw new DockerfileError("dockerfile contains no stages to build", nodes.at(-1)!.range);
  return { globals, stages, escape: token };
}

function onItsLine<T>({ range }: Node, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DockerfileError) {
      error.message = `dockerfile parse error on line ${range.start.line}: ${error.message}`;
    }
    throw error;
  }
}
