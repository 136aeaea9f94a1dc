const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What a run has made is taken back once, last first, whatever ends it: its end, an error, a signal. */
export class Session {
  /** Of the run. */
  readonly whole = new AsyncDisposableStack();
  /** Of the bench that is under way. */
  #bench = new AsyncDisposableStack();
  #signalled = false;

  constructor(say: (line: string) => void) {
    for (const signal of SIGNALS) {
      process.once(signal, async () => {
        this.#signalled = true;
        say(`${signal}: taking everything back`);
        for (const stack of [this.#bench, this.whole])
          await stack.disposeAsync().catch((error: Error) => say(`${error.name}: ${error.message}`));
        process.exit(130);
      });
    }
  }

  /** What was waited for, unless all is being taken back by now: then nothing new may be begun with it. */
  async unlessEnding<T>(awaited: Promise<T>): Promise<T> {
    const value = await awaited;
    return this.#signalled ? new Promise<never>(() => {}) : value;
  }

  /** Runs a bench and takes back what it made. */
  async bench<T>(run: (after: AsyncDisposableStack) => Promise<T>): Promise<T> {
    this.#bench = new AsyncDisposableStack();
    try {
      return await run(this.#bench);
    } catch (error) {
      // What the bench stands on is being taken away: that it fails is no news, and the exit is near.
      if (this.#signalled) return await new Promise<never>(() => {});
      throw error;
    } finally {
      if (!this.#signalled) await this.#bench.disposeAsync();
    }
  }
}
