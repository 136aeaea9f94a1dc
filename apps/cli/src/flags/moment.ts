import { parseDuration } from "@mayfly/contract";
import { CliError, EXIT } from "../failure.ts";

const DAY_MS = 86_400_000;

/** A time as RFC 3339, or so long ago as `90s`, `24h`, `7d`. @throws CliError naming the flag */
export function momentOf(flag: string, text: string, nowMs: number): string {
  const days = /^(\d+)d$/.exec(text);
  // A bare number would be seconds to parseDuration and a year to Date: it is neither.
  const ago = days ? Number(days[1]) * DAY_MS : /[a-z]$/.test(text) ? parseDuration(text) : null;
  const time = new Date(ago === null ? (/^\d+$/.test(text) ? Number.NaN : text) : nowMs - ago);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new CliError(`${flag} ${text} is no time`, {
    exit: EXIT.usage,
    hint: "write it like 2026-11-24T12:00:00Z, or 24h for so long ago",
  });
}
