import type { Box } from "@mayfly/container";
import type { PinnedContract, VersionSpec } from "@mayfly/contract";
import { CgiProgram } from "./cgi/cgi.ts";
import { HttpProgram } from "./http.ts";
import { LambdaProgram } from "./lambda/lambda.ts";
import { ModuleProgram } from "./module.ts";
import type { Program } from "./program.ts";

/** The program that was started in a box of this version. `contract`: another than its own, when it is only tried. */
export function openProgram(box: Box, version: VersionSpec, contract: PinnedContract = version.contract): Program {
  switch (contract) {
    case "http":
      return new HttpProgram(box);
    case "cgi":
      return new CgiProgram(box);
    case "runtime-api":
      return new LambdaProgram(box, version);
    default:
      return new ModuleProgram(box, contract);
  }
}
