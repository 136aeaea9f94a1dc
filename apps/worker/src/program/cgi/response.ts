import type { ResponseHead } from "@mayfly/contract";

/** An answer whose head is longer is no answer. */
export const LONGEST_HEAD_BYTES = 64 * 1024;

const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/**
 * Reads the head of a CGI answer (RFC 3875 §6.3): header lines and an empty one. An answer that does not begin with a header line is a
 * body alone. Null: more bytes are needed to tell. @throws Error saying what is wrong with a head
 */
export function readHead(bytes: Uint8Array, isAll: boolean): { head: ResponseHead; bodyAt: number } | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const firstLine = /^(.*?)\r?\n/.exec(text)?.[1];
  if (firstLine === undefined && !isAll && bytes.byteLength < LONGEST_HEAD_BYTES) return null;
  if (firstLine === undefined || !HEADER.test(firstLine)) return { head: BODY_ALONE, bodyAt: 0 };
  const end = /\r?\n\r?\n/.exec(text);
  if (end) return { head: headOf(text.slice(0, end.index).split(/\r?\n/)), bodyAt: end.index + end[0].length };
  if (isAll) throw new Error("its head has no end: an empty line must follow the headers");
  if (bytes.byteLength >= LONGEST_HEAD_BYTES) throw new Error(`its head is over ${LONGEST_HEAD_BYTES} bytes`);
  return null;
}

const BODY_ALONE: ResponseHead = { status: 200, headers: [["content-type", "text/plain; charset=utf-8"]] };

/** `Status` is the status (§6.3.3); `Location` without one is a redirect (§6.3.2). */
function headOf(lines: readonly string[]): ResponseHead {
  const headers: [string, string][] = [];
  let status: number | null = null;
  for (const line of lines) {
    const [, name, value = ""] = HEADER.exec(line) ?? [];
    if (name === undefined)
      throw new Error(`its head has a line that is no header: ${JSON.stringify(line.slice(0, 100))}`);
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else headers.push([name.toLowerCase(), value]);
  }
  status ??= headers.some(([name]) => name === "location") ? 302 : 200;
  if (!(status >= 200 && status <= 599)) throw new Error("its Status is no number from 200 to 599");
  return { status, headers };
}
