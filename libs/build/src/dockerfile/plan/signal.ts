import { constants } from "node:os";
import { DockerfileError } from "../source/failure.ts";

/** Linux' first and last real-time signals as a C library hands them out (moby/sys/signal). */
const REAL_TIME = [34, 64] as const;

/** SIGCHLD as System V calls it: in moby's table, and not in Node's. */
const OLD_CHILD = "CLD";

/** @throws DockerfileError for what is neither a number but 0 nor a signal's name, with or without SIG */
export function checkSignal(signal: string): void {
  if (/^[+-]?\d+$/.test(signal) ? Number(signal) !== 0 : isName(signal.toUpperCase().replace(/^SIG/, ""))) return;
  throw new DockerfileError(`invalid signal: ${signal}`);
}

function isName(name: string): boolean {
  if (name === OLD_CHILD || Object.hasOwn(constants.signals, `SIG${name}`)) return true;
  const [, from, sign, distance = "0"] = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) ?? [];
  if (from === undefined || (sign !== undefined && (sign === "+") !== (from === "MIN"))) return false;
  return Number(distance) <= (from === "MIN" ? REAL_TIME[1] - REAL_TIME[0] - 15 : 14);
}
