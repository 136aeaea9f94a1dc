import { type BoxEnd, describeEnding, type Ending } from "@mayfly/contract";

const SIGKILL = 9;

/** The exit status that stands for an ending, as shells and Docker say it: 128 and the signal; 127 and 126 for a program that is not there, or is none; 125 for a box that could not be made. */
export function endOf(ending: Ending): BoxEnd {
  return { exit_code: codeOf(ending), ended: describeEnding(ending) };
}

function codeOf(ending: Ending): number {
  switch (ending.kind) {
    case "exit":
      return ending.code;
    case "signal":
      return 128 + ending.signal;
    case "refused":
      if (ending.step !== "exec") return 125;
      return ending.errno === "ENOENT" ? 127 : 126;
    case "timeout":
    case "out_of_memory":
    case "killed":
      return 128 + SIGKILL;
  }
}
