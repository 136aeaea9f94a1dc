import type { Case, Peer } from "./case/case.ts";
import { dockerfileText } from "./case/dockerfile-text.ts";
import { type Difference, differencesOf, textOf } from "./compare/compare.ts";
import { unmet } from "./compare/expectation.ts";
import { reasonFor } from "./compare/known.ts";
import { tooNewFor } from "./compare/too-new.ts";
import { isRefusal, type Made } from "./made/made.ts";

export interface Verdict {
  readonly case: Case;
  /** What is wrong, if anything. */
  readonly wrong: readonly string[];
  /** `peer: why` for each difference that is known. */
  readonly known: readonly string[];
}

/**
 * What our image is worth beside those of others. A difference that nobody has a reason for is wrong, and so is a reason without a
 * difference; and a case in which nobody agrees with us must state what is right.
 */
export function verdictOf(one: Case, ours: Made, theirs: ReadonlyMap<Peer, Made>): Verdict {
  const text = dockerfileText(one);
  // Who is too old for a Dockerfile says nothing of it.
  const able = [...theirs].filter(([peer]) => tooNewFor(peer, text) === null).map(([, made]) => made);
  const wrong = [...outcomeOf(one, ours, able), ...unmet(ours, one.expected)];
  const known: string[] = [];
  let isAlone = true;
  for (const [peer, made] of theirs) {
    const declared = one.differs[peer];
    const differences = differencesOf(ours, made, peer === "docker");
    const unexplained: Difference[] = [];
    for (const difference of differences) {
      const why = reasonFor(difference, peer) ?? (isRefusal(ours) || !isRefusal(made) ? null : tooNewFor(peer, text));
      if (why === null) unexplained.push(difference);
      else if (!known.includes(`${peer} ${why}`)) known.push(`${peer} ${why}`);
    }
    if (unexplained.length === 0) isAlone = false;
    if (declared === undefined) wrong.push(...unexplained.map((difference) => `${peer}: ${textOf(difference, peer)}`));
    else if (unexplained.length > 0) known.push(`${peer} ${declared}`);
    else wrong.push(`${peer} makes the same of it now, and it is said: ${declared}`);
  }
  if (theirs.size > 0 && isAlone && one.expected.length === 0 && !one.fails)
    wrong.push("nobody makes the same of it, and no expectation is stated");
  return { case: one, wrong, known };
}

function outcomeOf({ fails }: Case, ours: Made, theirs: readonly Made[]): string[] {
  const refuses = fails ?? (theirs.length > 0 && theirs.every(isRefusal));
  if (refuses && !isRefusal(ours)) return ["mayfly builds it, and it is to be refused"];
  if (!refuses && isRefusal(ours)) return [`mayfly refuses it: ${ours.refused}`];
  return [];
}
