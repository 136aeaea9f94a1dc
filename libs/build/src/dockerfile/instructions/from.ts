import type { Node } from "../nodes/node.ts";
import { DockerfileError } from "../source/failure.ts";
import { quote } from "../source/go-text.ts";
import { readFlags } from "./flags.ts";
import type { From } from "./instruction.ts";
import { common } from "./node-parts.ts";

const STAGE_NAME = /^[a-z][a-z0-9\-_.]*$/;

/** `FROM [--platform=p] base [AS stage]` */
export function readFrom(node: Node): From {
  const [base, as, name] = node.words;
  const named = node.words.length === 3 && as!.toLowerCase() === "as";
  if (base === undefined || (node.words.length !== 1 && !named)) {
    throw new DockerfileError("FROM requires either one or three arguments");
  }
  const stage = named ? name!.toLowerCase() : "";
  if (named && !STAGE_NAME.test(stage)) {
    throw new DockerfileError(
      `invalid name for build stage: ${quote(name!)}, name can't start with a number or contain symbols`,
    );
  }
  const { platform = "" } = readFlags(node, { platform: "text" });
  return { kind: "from", ...common(node), base, stage, as: named ? { word: as!, name: name! } : null, platform };
}
