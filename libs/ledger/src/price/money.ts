/**
 * Exact money: integers of pico-units (1e-12 of the currency) in BigInt. Lambda's price of one millisecond at 128 MiB is 2083 of them;
 * in nano-units it would be off by 4 %.
 */
export const PICO = 1_000_000_000_000n;

/** A decimal string ("0.0000166667") times 1e12. @throws RangeError when it is none, or has more than 12 places */
export function parsePico(text: string): bigint {
  const match = /^(\d+)(?:\.(\d{1,12}))?$/.exec(text);
  if (!match) throw new RangeError(`${JSON.stringify(text)} is no decimal with at most 12 places`);
  return BigInt(match[1]!) * PICO + BigInt((match[2] ?? "").padEnd(12, "0"));
}

/** With 12 places: "0.000000250000". */
export function formatPico(pico: bigint): string {
  const sign = pico < 0n ? "-" : "";
  const digits = (pico < 0n ? -pico : pico).toString().padStart(13, "0");
  return `${sign}${digits.slice(0, -12)}.${digits.slice(-12)}`;
}

/** a / b, rounded half to even. b > 0. */
export function divideHalfEven(a: bigint, b: bigint): bigint {
  const negative = a < 0n;
  const whole = (negative ? -a : a) / b;
  const twice = ((negative ? -a : a) % b) * 2n;
  const rounded = twice > b || (twice === b && whole % 2n === 1n) ? whole + 1n : whole;
  return negative ? -rounded : rounded;
}

/** An exact fraction as a decimal string with up to 12 places, without trailing zeros. For showing quantities. */
export function formatFraction(numerator: bigint, denominator: bigint): string {
  return formatPico(divideHalfEven(numerator * PICO, denominator)).replace(/\.?0+$/, "");
}
