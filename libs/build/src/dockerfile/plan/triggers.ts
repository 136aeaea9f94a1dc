import type { Instruction } from "../instructions/instruction.ts";
import { readInstruction } from "../instructions/read.ts";
import { parseNodes } from "../nodes/parse.ts";
import { DockerfileError } from "../source/failure.ts";
import type { Range } from "../source/position.ts";

/** ONBUILD lines of a base as instructions; they stand where its FROM does. @throws DockerfileError for a line that is none */
export function triggersOf(lines: readonly string[], from: Range): Instruction[] {
  return lines.map((line) => {
    try {
      return { ...instructionOf(line), range: from };
    } catch (error) {
      if (error instanceof DockerfileError) error.range = from;
      throw error;
    }
  });
}

function instructionOf(line: string): Instruction {
  const { nodes } = parseNodes(line);
  if (nodes.length !== 1) throw new DockerfileError("onbuild trigger should be a single expression");
  const instruction = readInstruction(nodes[0]!);
  if (instruction.kind === "from") throw new DockerfileError("FROM isn't allowed as an ONBUILD trigger");
  return instruction;
}
