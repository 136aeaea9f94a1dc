import { type BuildFault, type BuildRecord, FIXED_LIMITS } from "@mayfly/contract";

const LONGEST_LINE = 8 * 1024;

/** A build's log: numbers its records, times its steps, and bounds what user code may say in it. */
export class Records {
  #seq = 0;
  #logBytes = 0;
  readonly #began = new Map<string, number>();
  readonly #take: (record: BuildRecord) => void;
  readonly #now: () => Date;

  constructor(take: (record: BuildRecord) => void, now: () => Date) {
    this.#take = take;
    this.#now = now;
  }

  start(step: string, msg?: string): void {
    this.#began.set(step, performance.now());
    this.#emit({ step, status: "start", ...(msg === undefined ? {} : { msg }) });
  }

  done(step: string, msg?: string): void {
    const began = this.#began.get(step);
    const elapsed = began === undefined ? {} : { elapsed_ms: Math.round(performance.now() - began) };
    this.#emit({ step, status: "done", ...elapsed, ...(msg === undefined ? {} : { msg }) });
  }

  /** One record per line. What is over the limit of a log is dropped, and the last line says so. */
  log(step: string, text: string, stream?: "stdout" | "stderr"): void {
    for (const line of text.split("\n")) {
      if (line.trim() === "") continue;
      if (this.#logBytes > FIXED_LIMITS.log_bytes) return;
      const msg = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
      this.#logBytes += Buffer.byteLength(msg);
      const over = this.#logBytes > FIXED_LIMITS.log_bytes;
      this.#emit({
        step,
        status: "log",
        msg: over ? `the log is over ${FIXED_LIMITS.log_bytes} bytes; the rest is dropped` : msg,
        ...(stream ? { stream } : {}),
      });
    }
  }

  error(step: string, error: BuildFault): void {
    this.#emit({ step, status: "error", error });
  }

  #emit(record: Omit<BuildRecord, "ts" | "seq">): void {
    this.#seq += 1;
    this.#take({ ts: this.#now().toISOString(), seq: this.#seq, ...record });
  }
}
