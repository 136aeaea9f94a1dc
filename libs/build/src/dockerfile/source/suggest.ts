/** Beyond two edits a suggestion confuses more than it helps (BuildKit's util/suggest, which has it from HCL). */
const FARTHEST = 2;

/** The option that `word` was probably meant to be, of equally near ones one that begins as it does; undefined when none is near. */
export function nearest(word: string, options: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = FARTHEST + 1;
  for (const option of options) {
    if (option === word) return undefined;
    const distance = editDistance(word, option);
    if (distance > FARTHEST) continue;
    if (distance < least || (distance === least && option[0] === word[0] && best?.[0] !== word[0])) {
      best = option;
      least = distance;
    }
  }
  return best;
}

/** ` (did you mean x?)`, or nothing. */
export function didYouMean(word: string, options: Iterable<string>): string {
  const match = nearest(word, options);
  return match === undefined ? "" : ` (did you mean ${match}?)`;
}

/** As `didYouMean`, whatever the case; the match is written as the word is. */
export function didYouMeanAnyCase(word: string, options: Iterable<string>): string {
  const match = nearest(
    word.toLowerCase(),
    [...options].map((option) => option.toLowerCase()),
  );
  if (match === undefined) return "";
  return ` (did you mean ${word === word.toUpperCase() ? match.toUpperCase() : match}?)`;
}

/** Levenshtein: insertions, deletions, substitutions. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let at = 1; at <= to.length; at++) {
      const same = from[row - 1] === to[at - 1] ? 0 : 1;
      line.push(Math.min(above[at]! + 1, line[at - 1]! + 1, above[at - 1]! + same));
    }
    above = line;
  }
  return above[to.length]!;
}
