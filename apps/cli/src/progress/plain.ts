import type { BuildRecord } from "@mayfly/contract";
import { isEnd, type Step, seconds } from "./steps.ts";

/** A record as lines for a log, as BuildKit has them: `#3 [2/4] RUN make`, `#3 0.4 output`, `#3 DONE 1.2s`. */
export function plainLines(record: BuildRecord, step: Step): string[] {
  const name = step.name.startsWith("#") ? step.name : `#${step.name}`;
  const { msg = "" } = record;
  switch (record.status) {
    case "start":
      // A step of a word has it in its title.
      return [step.name.startsWith("#") ? `${name} ${step.title}` : `#${step.title}`];
    case "done":
      return [step.state === "cached" ? `${name} CACHED` : `${name} DONE ${seconds(step.elapsed_ms)}`];
    case "log":
      if (isEnd(record)) return [`${name} ERROR: ${msg.slice("ERROR ".length)}`];
      return [
        step.name === "warning"
          ? `WARNING: ${msg}`
          : `${name} ${(step.tail.at(-1)!.after_ms / 1000).toFixed(3)} ${msg}`,
      ];
    default:
      return [];
  }
}
