const UNITS = "kmgtp";

/** `64m`, `1.5GiB`, `100`: bytes, in powers of 1024 (docker/go-units, RAMInBytes); null when it is no size. */
export function readSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])i?b?|b)?$/i.exec(text);
  if (!match) return null;
  const power = match[2] ? UNITS.indexOf(match[2].toLowerCase()) + 1 : 0;
  return Math.trunc(Number(match[1]) * 1024 ** power);
}
