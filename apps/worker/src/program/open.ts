import type { Box } from "@mayfly/container";
import type { VersionSpec } from "@mayfly/contract";
import { CgiProgram } from "./cgi/cgi.ts";
import { FetchProgram } from "./fetch.ts";
import { HttpProgram } from "./http.ts";
import type { Program } from "./program.ts";

/** The program that was started in a box of this version. */
export function openProgram(box: Box, version: VersionSpec): Program {
  if (version.contract === "http") return new HttpProgram(box);
  if (version.contract === "cgi") return new CgiProgram(box);
  return new FetchProgram(box, version);
}
