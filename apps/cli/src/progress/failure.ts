import type { BuildRecord } from "@mayfly/contract";
import type { Step } from "./steps.ts";

const RULE = "------";

/** Where a build failed: what the step said last, and the lines of the source, marked. */
export function failureLines(failed: Step | undefined, error: BuildRecord["error"]): string[] {
  const lines: string[] = [];
  if (failed) {
    const said = failed.tail.slice(-20).map(({ after_ms, text }) => `${(after_ms / 1000).toFixed(3)} ${text}`);
    lines.push(RULE, ` > ${failed.title}:`, ...said, RULE);
  }
  const locations = error?.locations as { file: string; line: number; excerpt: string }[] | undefined;
  for (const { file, line, excerpt } of locations ?? []) {
    // A Dockerfile's names its place itself.
    if (!/^\S+:\d+\n/.test(excerpt)) lines.push(`${file}:${line}`);
    lines.push(excerpt.replace(/\n$/, ""));
  }
  return lines;
}
