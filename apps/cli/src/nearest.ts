/** The three names nearest to what was typed, by Levenshtein's distance, none further than half its length. */
export function nearest(typed: string, names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, distance: distance(typed, name) }))
    .filter(({ distance: d }) => d <= Math.max(1, Math.floor(typed.length / 2)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
