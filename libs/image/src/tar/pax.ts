import { ImageError } from "../error.ts";

/** Records of a PAX extended header (pax(1), "pax Extended Header"): key → bytes. A later record replaces an earlier one. */
export type Pax = ReadonlyMap<string, Buffer>;

const corrupt = (what: string) => new ImageError("corrupt", `a PAX header ${what}`);
/** Values that are names: a NUL in them would cut them short somewhere else. */
const NAMES = new Set(["path", "linkpath", "uname", "gname"]);

export function parsePax(bytes: Buffer): Pax {
  const records = new Map<string, Buffer>();
  const sparse: string[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const blank = bytes.indexOf(" ", at);
    const digits = blank === -1 ? "" : bytes.toString("latin1", at, blank);
    const end = at + Number(digits);
    const equals = bytes.indexOf("=", blank);
    if (!/^[0-9]{1,9}$/.test(digits) || end > bytes.byteLength || bytes[end - 1] !== 0x0a || equals >= end) {
      throw corrupt("has a record that does not end where it says");
    }
    const key = bytes.toString("utf8", blank + 1, equals);
    if (equals <= blank + 1 || key.includes("\0")) throw corrupt("has a record without a name");
    const value = bytes.subarray(equals + 1, end - 1);
    if (NAMES.has(key) && value.includes(0)) throw corrupt(`has a NUL in ${key}`);
    // The first of GNU's sparse formats repeats these two for each segment.
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") sparse.push(value.toString("latin1"));
    else records.set(key, value);
    at = end;
  }
  if (sparse.length > 0) records.set("GNU.sparse.map", Buffer.from(sparse.join(",")));
  return records;
}

/** Records in the order of their keys, whatever order they came in. Empty when there are none. */
export function formatPax(records: Pax): Buffer {
  const sorted = [...records].sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat(sorted.map(([key, value]) => formatRecord(key, value)));
}

/** The length counts its own digits. */
function formatRecord(key: string, value: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = body.byteLength + 1;
  while (body.byteLength + String(length).length !== length) length = body.byteLength + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/** `-1.5` is -2 s and 500 000 000 ns. Digits behind the ninth are dropped. */
export function parseTime(text: string): { s: number; ns: number } {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (!match) throw corrupt(`has the time ${JSON.stringify(text)}`);
  const [, sign, whole, fraction = ""] = match;
  const s = Number(whole);
  const ns = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (!sign) return { s, ns };
  return ns === 0 ? { s: 0 - s, ns: 0 } : { s: -s - 1, ns: 1_000_000_000 - ns };
}

export function formatTime(s: number, ns: number): string {
  if (ns === 0) return String(s);
  const [sign, whole, fraction] = s >= 0 ? ["", s, ns] : ["-", -(s + 1), 1_000_000_000 - ns];
  return `${sign}${whole}.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
}

/** @throws ImageError `corrupt` when the record is there and is no count. */
export function countOf(pax: Pax, key: string): number | null {
  const value = pax.get(key)?.toString("latin1");
  if (value === undefined) return null;
  if (!/^[0-9]{1,16}$/.test(value) || !Number.isSafeInteger(Number(value))) {
    throw corrupt(`has ${JSON.stringify(value.slice(0, 40))} for ${key}`);
  }
  return Number(value);
}
