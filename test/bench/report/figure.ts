import type { Spread } from "../measure/quantile.ts";

/** Three significant digits: more would claim what nobody measured. */
export function figure(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

/** `5.2 (4.9–6.0)`: the median of the blocks and their range. */
export const withRange = ({ median, low, high }: Spread): string =>
  `${figure(median)} (${figure(low)}–${figure(high)})`;

export const mebibytes = (bytes: number): string => figure(bytes / 1024 / 1024);
