/**
 * JSON with sorted keys and no white space: equal values give equal bytes, and so equal digests.
 * Members that are undefined are left out, as in JSON.stringify. Arrays keep their order.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (isPlainObject(member) ? sorted(member) : member));
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Code unit order, which unlike localeCompare is the same everywhere. Digits-only keys come first in any JS object. */
const sorted = (object: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
