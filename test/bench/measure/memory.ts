import { readFileSync } from "node:fs";

export interface Memory {
  /** Pages that it has mapped, shared ones counted whole. */
  readonly rss_bytes: number;
  /** The same, shared pages divided by how many share them: these can be added up. */
  readonly pss_bytes: number;
}

/** Of a process: /proc/PID/smaps_rollup, which walks its page tables. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const field = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)![1]);
  return { rss_bytes: field("Rss"), pss_bytes: field("Pss") };
}
