import { DockerfileError } from "./failure.ts";
import { quote } from "./go-text.ts";

/** Go's time.Duration, in whole nanoseconds; within what a JavaScript number holds exactly (104 days). */
export type Nanoseconds = number;

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "\u00b5s": 1e3,
  "\u03bcs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
export const MILLISECOND: Nanoseconds = 1e6;

/** `1h15m30.5s` as time.ParseDuration reads it. @throws DockerfileError with Go's words */
export function parseDuration(text: string): Nanoseconds {
  const [, sign, rest] = /^([+-]?)(.*)$/s.exec(text)!;
  if (rest === "0") return 0;
  if (rest === "") throw invalid(text);
  let total = 0;
  let left = rest!;
  while (left !== "") {
    const part = /^(\d*)(?:(\.)(\d*))?([^\d.]*)/.exec(left)!;
    const [all, whole = "", , fraction = "", unit = ""] = part;
    if (whole === "" && fraction === "") throw invalid(text);
    if (unit === "") throw new DockerfileError(`time: missing unit in duration ${quote(text)}`);
    const factor = UNITS[unit];
    if (factor === undefined) throw new DockerfileError(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
    total += Number(whole) * factor + Math.trunc(Number(`0.${fraction || "0"}`) * factor);
    left = left.slice(all.length);
  }
  if (total > 2 ** 63) throw invalid(text);
  return sign === "-" ? -total : total;
}

const invalid = (text: string) => new DockerfileError(`time: invalid duration ${quote(text)}`);

/** `1h15m30.5s`, `1.5ms`, `0s`: Duration.String. */
export function formatDuration(duration: Nanoseconds): string {
  if (duration === 0) return "0s";
  const sign = duration < 0 ? "-" : "";
  const value = Math.abs(duration);
  if (value < 1e3) return `${sign}${value}ns`;
  if (value < 1e6) return `${sign}${decimal(value, 1e3)}\u00b5s`;
  if (value < 1e9) return `${sign}${decimal(value, 1e6)}ms`;
  const hours = Math.trunc(value / 3600e9);
  const minutes = Math.trunc((value % 3600e9) / 60e9);
  const seconds = `${decimal(value % 60e9, 1e9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return `${sign}${minutes > 0 ? `${minutes}m` : ""}${seconds}`;
}

function decimal(value: number, unit: number): string {
  const digits = Math.log10(unit);
  const fraction = String(value % unit)
    .padStart(digits, "0")
    .replace(/0+$/, "");
  return `${Math.trunc(value / unit)}${fraction === "" ? "" : `.${fraction}`}`;
}
