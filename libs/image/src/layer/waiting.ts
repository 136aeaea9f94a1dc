/** Lets a bounded number of tasks run behind the one who adds them; the first failure comes out of the next call. */
export class Waiting {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  async add(task: Promise<unknown>): Promise<void> {
    const watched: Promise<void> = task.then(
      () => {
        this.#running.delete(watched);
      },
      (error: unknown) => {
        this.#running.delete(watched);
        this.#failure ??= { error };
      },
    );
    this.#running.add(watched);
    if (this.#running.size >= this.#most) await Promise.race(this.#running);
    this.#throwFailure();
  }

  /** Resolves when nothing runs any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
