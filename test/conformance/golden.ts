import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "./case/case.ts";
import { isRefusal, linesOf, type Made } from "./made/made.ts";

/**
 * What somebody else's engine made of a case, for runs without one: `case` → lines. They are never of our own making: a case that no peer
 * agrees with has its stated expectation, and no golden.
 */
export type Golden = Readonly<Record<string, readonly string[]>>;

const FILE = join(import.meta.dirname, "golden.json");

export const readGolden = (): Golden => JSON.parse(readFileSync(FILE, "utf8"));

export function writeGolden(golden: Golden): void {
  const sorted = Object.fromEntries(Object.entries(golden).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(FILE, `${JSON.stringify(sorted, null, 1)}\n`);
}

/** What of our image is otherwise than it was with others. */
export function unlikeGolden(one: Case, ours: Made, golden: Golden): string[] {
  const lines = golden[one.name];
  if (lines === undefined) return one.expected.length > 0 || one.fails ? [] : ["it is not in golden.json: record it"];
  const our = isRefusal(ours) ? ["refused"] : linesOf(ours);
  return [
    ...lines.filter((line) => !our.includes(line)).map((line) => `others make, and we do not: ${line}`),
    ...our.filter((line) => !lines.includes(line)).map((line) => `we make, and others do not: ${line}`),
  ];
}
