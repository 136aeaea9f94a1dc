import { createHash } from "node:crypto";

/** What the first entry follows. */
export const GENESIS = `sha256:${"0".repeat(64)}`;

/** hash = sha256(prev, newline, record): an entry cannot change, go or come in between without every later hash changing. */
export const chainHash = (prev: string, record: string): string =>
  `sha256:${createHash("sha256").update(prev).update("\n").update(record).digest("hex")}`;

/** JSON with sorted keys and no white space (RFC 8785 for the values we use: no floats but integers). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
