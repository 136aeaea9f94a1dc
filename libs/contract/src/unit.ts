/** Parsing and printing of quantities. Inside the system a quantity is an integer with its unit in its name. */

const BYTE_UNITS = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1000],
  ["kb", 1000],
  ["ki", 1024],
  ["kib", 1024],
  ["m", 1000 ** 2],
  ["mb", 1000 ** 2],
  ["mi", 1024 ** 2],
  ["mib", 1024 ** 2],
  ["g", 1000 ** 3],
  ["gb", 1000 ** 3],
  ["gi", 1024 ** 3],
  ["gib", 1024 ** 3],
]);
const DURATION_MS = new Map([
  ["", 1000],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

function quantity(text: string, units: ReadonlyMap<string, number>): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match && units.get(match[2]!.toLowerCase());
  return match && unit ? Math.round(Number(match[1]) * unit) : null;
}

/** `128MiB`, `64Mi`, `1GB`, `4096` → bytes, or null when it is none of these. */
export const parseBytes = (text: string): number | null => quantity(text, BYTE_UNITS);

/** `30s`, `1500ms`, `5m`, `30` (seconds) → milliseconds, or null. */
export const parseDuration = (text: string): number | null => quantity(text, DURATION_MS);

/** `1`, `0.5`, `500m` (Kubernetes' spelling) → thousandths of a core, or null. */
export function parseCpu(text: string): number | null {
  const milli = /^(\d+)m$/.exec(text.trim());
  if (milli) return Number(milli[1]);
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Math.round(Number(text) * 1000) : null;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1024;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

export function formatMicros(us: number): string {
  if (us < 1000) return `${us} µs`;
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)} ms`;
  return `${(us / 1_000_000).toFixed(2)} s`;
}
