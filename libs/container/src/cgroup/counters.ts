/** Parsers of the kernel's counter files. A name that is not there gives null, never 0. Formats: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/. */

/** `name value` lines, as in cpu.stat, memory.events, memory.oom_control. */
export function flatKeyed(text: string | null, name: string): number | null {
  if (text === null) return null;
  for (const line of text.split("\n")) {
    if (line.startsWith(name) && line.charCodeAt(name.length) === 0x20) return toCount(line.slice(name.length + 1));
  }
  return null;
}

/** A file with one number. */
export const single = (text: string | null): number | null => (text === null ? null : toCount(text.trim()));

/** io.stat: `8:0 rbytes=1 wbytes=2 rios=3 …` a device; the sum over devices. An empty file is 0 bytes: the box did none. */
export const nestedKeyedSum = (text: string | null, name: string): number | null =>
  text === null ? null : sum(text.matchAll(new RegExp(`\\b${name}=(\\d+)`, "g")));

/** blkio.throttle.io_service_bytes: `8:0 Read 512` a device and direction, `Total 512` at the end. */
export const blkioSum = (text: string | null, direction: "Read" | "Write"): number | null =>
  text === null ? null : sum(text.matchAll(new RegExp(`^\\S+ ${direction} (\\d+)$`, "gm")));

function sum(matches: Iterable<RegExpMatchArray>): number {
  let total = 0;
  for (const match of matches) total += Number(match[1]);
  return total;
}

const toCount = (digits: string): number | null => (/^\d+$/.test(digits) ? Number(digits) : null);

/** Nanoseconds → microseconds, rounded down as the kernel does for v2. */
export const nsToUs = (ns: number | null): number | null => (ns === null ? null : Math.floor(ns / 1000));
