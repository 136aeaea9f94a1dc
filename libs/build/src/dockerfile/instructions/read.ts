import { asKeyword, KEYWORDS, type Keyword } from "../nodes/keyword.ts";
import type { Node } from "../nodes/node.ts";
import { DockerfileError, within } from "../source/failure.ts";
import { didYouMeanAnyCase } from "../source/suggest.ts";
import { readCmd, readEntrypoint, readRun, readShell } from "./command-line.ts";
import { readFrom } from "./from.ts";
import { readHealthcheck } from "./healthcheck.ts";
import type { From, Instruction } from "./instruction.ts";
import {
  readArg,
  readEnv,
  readExpose,
  readLabel,
  readMaintainer,
  readOnBuild,
  readStopSignal,
  readUser,
  readVolume,
  readWorkdir,
} from "./metadata.ts";
import { readAdd, readCopy } from "./sources.ts";

const READERS: Readonly<Record<Keyword, (node: Node) => Instruction | From>> = {
  add: readAdd,
  arg: readArg,
  cmd: readCmd,
  copy: readCopy,
  entrypoint: readEntrypoint,
  env: readEnv,
  expose: readExpose,
  from: readFrom,
  healthcheck: readHealthcheck,
  label: readLabel,
  maintainer: readMaintainer,
  onbuild: readOnBuild,
  run: readRun,
  shell: readShell,
  stopsignal: readStopSignal,
  user: readUser,
  volume: readVolume,
  workdir: readWorkdir,
};

/** What a node means. @throws DockerfileError, at the node or the part of it that is wrong */
export function readInstruction(node: Node): Instruction | From {
  return within(node.range, () => {
    const keyword = asKeyword(node.word);
    if (keyword !== undefined) return READERS[keyword](node);
    throw new DockerfileError(
      `unknown instruction: ${node.word}${didYouMeanAnyCase(node.word, KEYWORDS)}`,
      node.wordRange,
    );
  });
}
