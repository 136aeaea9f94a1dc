import type { BuildRecord } from "@mayfly/contract";

/** A build's log: numbers its records and times its steps. */
export class Records {
  #seq = 0;
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

  log(step: string, msg: string, stream?: "stdout" | "stderr"): void {
    this.#emit({ step, status: "log", msg, ...(stream ? { stream } : {}) });
  }

  error(step: string, error: NonNullable<BuildRecord["error"]>): void {
    this.#emit({ step, status: "error", error });
  }

  #emit(record: Omit<BuildRecord, "ts" | "seq">): void {
    this.#seq += 1;
    this.#take({ ts: this.#now().toISOString(), seq: this.#seq, ...record });
  }
}
