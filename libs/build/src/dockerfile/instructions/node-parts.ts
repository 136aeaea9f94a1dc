import type { Node } from "../nodes/node.ts";
import { DockerfileError } from "../source/failure.ts";
import { trimSpace } from "../source/go-text.ts";
import type { Common } from "./instruction.ts";

export const common = ({ word, original, range, comments }: Node): Common => ({
  word,
  code: trimSpace(original),
  range,
  comments,
});

export function requireSome({ words }: Node, keyword: string): void {
  if (words.length === 0) throw new DockerfileError(`${keyword} requires at least one argument`);
}

export function onlyWord({ words }: Node, keyword: string): string {
  const [word] = words;
  if (word === undefined || words.length !== 1) {
    throw new DockerfileError(`${keyword} requires exactly one argument`);
  }
  return word;
}
