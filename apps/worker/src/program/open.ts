import type { Box } from "@mayfly/container";
import type { VersionSpec } from "@mayfly/contract";
import { CgiProgram } from "./cgi/cgi.ts";
import { HttpProgram } from "./http.ts";
import { ModuleProgram } from "./module.ts";
import type { Program } from "./program.ts";

/** The program that was started in a box of this version. */
export function openProgram(box: Box, { contract }: Pick<VersionSpec, "contract">): Program {
  switch (contract) {
    case "http":
      return new HttpProgram(box);
    case "cgi":
      return new CgiProgram(box);
    default:
      return new ModuleProgram(box, contract);
  }
}
