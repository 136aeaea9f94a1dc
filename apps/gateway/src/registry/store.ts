import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type LooseBlob, RegistryIndex, type RegistryManifest } from "@mayfly/catalog";
import type { Digest } from "@mayfly/contract";
import { type BlobInfo, type BlobStore, openBlobStore } from "@mayfly/image";
import { Holds } from "./holds.ts";
import { Uploads } from "./uploads.ts";

/**
 * The registry's own images, in a folder of the gateway's (docs/decisions/0007). A blob lies there once, whichever repositories show
 * it; where the index and the disk disagree, a blob is there when both say so.
 */
export class RegistryStore {
  readonly blobs: BlobStore;
  readonly index: RegistryIndex;
  readonly uploads: Uploads;
  readonly #holds = new Holds();

  private constructor(blobs: BlobStore, index: RegistryIndex, uploads: Uploads) {
    this.blobs = blobs;
    this.index = index;
    this.uploads = uploads;
  }

  /** @throws Error naming what cannot be used */
  static async open(dir: string): Promise<RegistryStore> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const index = await RegistryIndex.open(join(dir, "index.sqlite"));
    const blobs = await openBlobStore(join(dir, "blobs"));
    return new RegistryStore(blobs, index, await Uploads.open(join(dir, "uploads"), index));
  }

  close(): Promise<void> {
    return this.index.close();
  }

  /** Size of a blob that the repository shows and that is there. */
  async blobSize(repository: string, digest: Digest): Promise<number | null> {
    const size = await this.index.blobSize(repository, digest);
    return size !== null && (await this.blobs.has(digest)) ? size : null;
  }

  /** @param store puts the bytes into the blob store, and throws when they are not the digest's */
  addBlob(repository: string, digest: Digest, store: (blobs: BlobStore) => Promise<BlobInfo>): Promise<void> {
    return this.#holds.hold([digest], async () => {
      const { size_bytes } = await store(this.blobs);
      await this.index.linkBlob(repository, digest, size_bytes, Date.now());
    });
  }

  /** False: the other repository does not show it. */
  mountBlob(from: string, to: string, digest: Digest): Promise<boolean> {
    return this.#holds.hold([digest], async () => {
      const size = await this.blobSize(from, digest);
      if (size === null) return false;
      await this.index.linkBlob(to, digest, size, Date.now());
      return true;
    });
  }

  async removeBlob(repository: string, digest: Digest): Promise<void> {
    await this.index.unlinkBlob(repository, digest);
    await this.#forget(digest);
  }

  /**
   * @param check looks whether all that the manifest names is there; nothing of it is removed from then on
   * @param named all digests that it names
   */
  putManifest(
    manifest: RegistryManifest,
    bytes: Uint8Array,
    { named, tag, check }: { readonly named: readonly Digest[]; readonly tag: string | null; check(): Promise<void> },
  ): Promise<void> {
    return this.#holds.hold([manifest.digest, ...named], async () => {
      await check();
      await this.blobs.put(bytes, { expect: manifest.digest });
      await this.index.putManifest(manifest, { parts: named, tag, now: Date.now() });
    });
  }

  /** False: there is none. */
  async removeManifest(repository: string, digest: Digest): Promise<boolean> {
    const there = await this.index.removeManifest(repository, digest);
    await this.#forget(digest);
    return there;
  }

  /** Blobs that were sent for a manifest which never came, and uploads that were given up, older than these times. */
  async sweep(before: { readonly blobs: Date; readonly uploads: Date }): Promise<void> {
    await this.uploads.sweep(before.uploads);
    for (const loose of await this.index.looseBlobs(before.blobs.getTime()))
      await this.#sweepLoose(loose, before.blobs);
    // What was stored by a process that died before it had entered it.
    for await (const { digest, used_at } of this.blobs.list()) if (used_at < before.blobs) await this.#forget(digest);
  }

  async #sweepLoose(loose: LooseBlob, before: Date): Promise<void> {
    await this.#holds.remove(loose.digest, async () => {
      if (await this.index.unlinkLoose(loose, before.getTime())) await this.#forgetUnheld(loose.digest);
    });
  }

  #forget(digest: Digest): Promise<void> {
    return this.#holds.remove(digest, () => this.#forgetUnheld(digest));
  }

  async #forgetUnheld(digest: Digest): Promise<void> {
    if (!(await this.index.isKept(digest))) await this.blobs.remove(digest, null);
  }
}
