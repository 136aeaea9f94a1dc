/** Bytes of a blob from `start` up to, not including, `end`. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads `Range` (RFC 9110 §14.2). Null: the whole, because nothing was asked for, or something that a server may ignore (another
 * unit, several parts, nonsense). `unsatisfiable`: no byte of it is there.
 */
export function partOf(header: string | null, size: number): Part | null | "unsatisfiable" {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return null;
  if (first === "")
    return Number(last) === 0 || size === 0 ? "unsatisfiable" : { start: Math.max(0, size - Number(last)), end: size };
  const start = Number(first);
  const end = last === "" ? size : Math.min(size, Number(last) + 1);
  if (last !== "" && Number(last) < start) return null;
  return start >= size ? "unsatisfiable" : { start, end };
}

/** A chunk of an upload: `0-99`, both ends of it inclusive, as the distribution spec writes it; a unit before it is let pass. */
export function chunkRange(header: string): Part | null {
  const [, first, last] = /^(?:bytes[= ])?(\d{1,15})-(\d{1,15})$/.exec(header.trim()) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) return null;
  return { start: Number(first), end: Number(last) + 1 };
}
