import { createHash } from "node:crypto";
import type { InvocationRecord } from "@mayfly/contract";
import { parsePico } from "../price/money.ts";

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

/** A row of the ledger: the record as it was hashed, and the columns beside it, from which lists and statements are made. */
export interface ChainRow {
  readonly seq: number;
  readonly id: string;
  readonly attempt: number;
  readonly function: string;
  readonly version: number;
  readonly status: string;
  readonly ended_at: string;
  /** A decimal integer: a sum may be more than a double holds exactly. */
  readonly total_pico: string;
  readonly currency: string;
  readonly record: string;
  readonly prev: string;
  readonly hash: string;
}

export interface ChainBreak {
  readonly seq: number;
  readonly message: string;
}

/**
 * Walks a chain from its first entry. Null when it is whole, else where it breaks first. Entries that were cut off at its end leave a
 * whole, shorter chain: who must see that keeps the last hash elsewhere.
 */
export function checkChain(rows: Iterable<ChainRow>): ChainBreak | null {
  let prev = GENESIS;
  let next = 1;
  for (const row of rows) {
    const { seq } = row;
    if (seq !== next) return { seq: next, message: `entry ${next} is missing` };
    if (row.prev !== prev) return { seq, message: `entry ${seq} does not follow entry ${seq - 1}` };
    if (chainHash(prev, row.record) !== row.hash) return { seq, message: `entry ${seq} is not what was entered` };
    const column = disagreeing(row);
    if (column) return { seq, message: `entry ${seq}: its column ${column} is not what its record says` };
    prev = row.hash;
    next += 1;
  }
  return null;
}

/** The hash covers the record alone; a statement is summed from the columns. So they must say the same. */
function disagreeing(row: ChainRow): string | null {
  const { id, attempt, function: name, version, status, ended_at, bill } = JSON.parse(row.record) as InvocationRecord;
  const total_pico = String(parsePico(bill.total.amount));
  const said = { id, attempt, function: name, version, status, ended_at, total_pico, currency: bill.total.currency };
  for (const [column, value] of Object.entries(said)) if (row[column as keyof typeof said] !== value) return column;
  return null;
}
