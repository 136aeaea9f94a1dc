import { DockerfileError } from "../source/failure.ts";
import type { Range } from "../source/position.ts";

/** Stages by number, and which instruction needs which. */
export type Needs = ReadonlyMap<number, ReadonlyMap<number, Range>>;

/** The stages that a stage needs, itself included, in the order of the file. */
export function reachable(target: number, needs: Needs): number[] {
  const seen = new Set<number>();
  const visit = (stage: number): void => {
    if (seen.has(stage)) return;
    seen.add(stage);
    for (const needed of needs.get(stage)?.keys() ?? []) visit(needed);
  };
  visit(target);
  return [...seen].sort((a, b) => a - b);
}

/** @throws DockerfileError for stages that wait for each other, at the instruction that closes the circle */
export function refuseCircles(names: readonly string[], needs: Needs): void {
  const done = new Set<number>();
  const path = new Set<number>();
  const visit = (stage: number, from: number): void => {
    if (done.has(stage)) return;
    path.add(stage);
    for (const [needed, range] of needs.get(stage) ?? []) {
      if (path.has(needed)) {
        throw new DockerfileError(`circular dependency detected on stage: ${names[from]}`, range);
      }
      visit(needed, from);
    }
    path.delete(stage);
    done.add(stage);
  };
  for (const stage of names.keys()) visit(stage, stage);
}
