import { CliError, EXIT } from "../failure.ts";

/** @throws CliError naming the flag */
export function wholeNumber(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CliError(`${flag} ${text} is no whole number above 0`, { exit: EXIT.usage });
}
