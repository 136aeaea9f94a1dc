import type { BuildRecord } from "@mayfly/contract";

const KEPT_BUILDS = 200;
const KEPT_RECORDS = 10_000;

interface Log {
  readonly records: BuildRecord[];
  readonly followers: Set<() => void>;
  ended: boolean;
}

/** Logs of builds while they run, for those who follow them. What is left of an ended one lies in the catalog. */
export class BuildLogs {
  readonly #logs = new Map<string, Log>();

  begin(id: string): void {
    if (this.#logs.has(id)) return;
    this.#logs.set(id, { records: [], followers: new Set(), ended: false });
    const oldest = this.#logs.keys().next().value;
    if (this.#logs.size > KEPT_BUILDS && oldest !== undefined) this.#logs.delete(oldest);
  }

  append(id: string, record: BuildRecord): void {
    const log = this.#logs.get(id);
    if (!log || log.ended || log.records.length >= KEPT_RECORDS) return;
    log.records.push(record);
    for (const wake of log.followers) wake();
  }

  /** The last record has come. */
  end(id: string): void {
    const log = this.#logs.get(id);
    if (!log) return;
    log.ended = true;
    for (const wake of log.followers) wake();
  }

  /** From the first record on, until the build has ended or the signal fires. Nothing for a build that is not under way here. */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<BuildRecord> {
    const log = this.#logs.get(id);
    for (let at = 0; log && !signal.aborted; ) {
      while (at < log.records.length) yield log.records[at++]!;
      if (log.ended) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          log.followers.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        log.followers.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    }
  }
}
