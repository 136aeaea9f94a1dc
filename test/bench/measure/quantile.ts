/** The smallest of the values that at least the share `q` of them does not exceed (nearest rank). @throws RangeError for no values */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError("a quantile of no values");
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** One figure of several blocks: the middle one, and how far apart they lie. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export const spreadOf = (figures: readonly number[]): Spread => ({
  median: median(figures),
  low: Math.min(...figures),
  high: Math.max(...figures),
});
