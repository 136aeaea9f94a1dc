import type { Box } from "@mayfly/container";
import type { VersionSpec } from "@mayfly/contract";
import { FetchProgram } from "./fetch.ts";
import { HttpProgram } from "./http.ts";
import type { Program } from "./program.ts";

/** The program that was started in a box of this version. */
export function openProgram(box: Box, version: VersionSpec): Program {
  return version.contract === "http" ? new HttpProgram(box) : new FetchProgram(box, version);
}
