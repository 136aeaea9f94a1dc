import type { Digest, RootFs } from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";

/** Read-only layers of images, unpacked once and remembered: a call must not wait for the disk. */
export class Roots {
  readonly #store: Pick<ImageStore, "rootfs">;
  readonly #known = new Map<Digest, Promise<RootFs>>();
  #sweeps = 0;

  constructor(store: Pick<ImageStore, "rootfs">) {
    this.#store = store;
  }

  of(image: Digest): Promise<RootFs> {
    const known = this.#known.get(image);
    if (known) return known;
    const unpacking = this.#store.rootfs(image);
    if (this.#sweeps > 0) return unpacking;
    unpacking.catch(() => this.#known.delete(image));
    this.#known.set(image, unpacking);
    return unpacking;
  }

  /**
   * While snapshots are removed nothing is remembered: whoever wants one asks the store, which marks it as used, so that it stays or is
   * unpacked again.
   */
  async whileSwept<T>(sweep: () => Promise<T>): Promise<T> {
    this.#sweeps += 1;
    this.#known.clear();
    try {
      return await sweep();
    } finally {
      this.#sweeps -= 1;
    }
  }
}
