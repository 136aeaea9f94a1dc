import { isRefusal, linesOf, type Made } from "../made/made.ts";

/** What of stated lines is not so: a line that is not there, a `!path` that is. */
export function unmet(made: Made, expected: readonly string[]): string[] {
  if (expected.length === 0) return [];
  if (isRefusal(made)) return [`it was refused: ${made.refused}`];
  const lines = new Set(linesOf(made));
  return expected.flatMap((line) => {
    if (!line.startsWith("!")) return lines.has(line) ? [] : [`expected, and not there: ${line}`];
    const found = made.files.get(line.slice(1));
    return found === undefined || found === null ? [] : [`there, and not expected: ${line.slice(1)}`];
  });
}
