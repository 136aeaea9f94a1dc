/** Values of secrets of builds that are under way, in memory alone: the queue, the catalog and the disk never see one. */
export class BuildSecrets {
  readonly #of = new Map<string, ReadonlyMap<string, Uint8Array>>();

  keep(build: string, secrets: ReadonlyMap<string, Uint8Array>): void {
    if (secrets.size > 0) this.#of.set(build, secrets);
  }

  /** Null: a gateway that was started since has them no more. */
  of(build: string): ReadonlyMap<string, Uint8Array> | null {
    return this.#of.get(build) ?? null;
  }

  forget(build: string): void {
    this.#of.delete(build);
  }
}
