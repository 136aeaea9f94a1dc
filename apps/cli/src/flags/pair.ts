import { CliError, EXIT } from "../failure.ts";

/** `NAME=value` as name and value. @throws CliError naming the flag */
export function pairOf(flag: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new CliError(`${flag} ${text}: write it like NAME=value`, { exit: EXIT.usage });
  return [text.slice(0, at), text.slice(at + 1)];
}

/** For options that may be given several times. */
export const collect = (value: string, all: string[] = []): string[] => [...all, value];
