import type { Digest } from "@mayfly/contract";

const MOST = 10_000;

/** Which repositories of one registry were seen to have which blobs: from there a blob is mounted instead of sent. */
export class Whereabouts {
  readonly #seen = new Map<Digest, Set<string>>();

  saw(digest: Digest, repository: string): void {
    const repositories = this.#seen.get(digest) ?? new Set();
    repositories.add(repository);
    // Put behind the others: the one that was not seen for longest goes first.
    this.#seen.delete(digest);
    this.#seen.set(digest, repositories);
    if (this.#seen.size > MOST) this.#seen.delete(this.#seen.keys().next().value!);
  }

  /** A repository with this blob that is not `repository`. */
  other(digest: Digest, repository: string): string | null {
    for (const one of this.#seen.get(digest) ?? []) if (one !== repository) return one;
    return null;
  }
}
