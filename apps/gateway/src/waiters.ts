/** Lets requests wait for something to happen to an id, without polling and without keeping what nobody waits for. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves when `tell(id)` is called, when `ms` have passed, or when the signal fires. */
  wait(id: string, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const set = this.#waiting.get(id) ?? new Set();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        set.delete(done);
        if (set.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (signal?.aborted) return done();
      signal?.addEventListener("abort", done, { once: true });
      set.add(done);
      this.#waiting.set(id, set);
    });
  }

  tell(id: string): void {
    for (const done of [...(this.#waiting.get(id) ?? [])]) done();
  }
}
