import type { Catalog } from "@mayfly/catalog";
import { type Digest, Fault, FIXED_LIMITS, newPublishId, type PublishId } from "@mayfly/contract";
import { imageImporter } from "@mayfly/image";
import type { FrameChannel, Producer } from "@mayfly/queue";
import type { Logger } from "pino";
import { parseManifest } from "./pushed-manifest.ts";
import type { RegistryStore } from "./store.ts";
import { openOffer } from "./worker-source.ts";

/** A worker brings at most this much at once over its one channel; an image of some hundred MiB takes seconds. */
const WAIT_MS = 120_000;
const ONCE = { attempts: 1, first_ms: 0, most_ms: 0, longest_wait_ms: 0 };

/** Names that nobody can push to: what is below them is made here. */
export const isPublished = (repository: string): boolean => repository.startsWith("mayfly/");

export interface PublishedDeps {
  readonly store: RegistryStore;
  readonly catalog: Pick<Catalog, "version">;
  readonly producer: Pick<Producer, "publish">;
  /** Where the data channel listens, as workers reach it. */
  readonly channel: string;
  /** Outboxes of workers that are connected now. */
  readonly workers: ReadonlySet<unknown>;
  readonly log: Logger;
}

interface Wanted {
  readonly repository: string;
  readonly tag: string;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Images that only the worker's store has, for who pulls them from here: `mayfly/node:24` and its like, and the versions of functions
 * as `mayfly/function/<name>:<version or alias>`. A worker is asked for them when somebody wants them; what it brought stays here as
 * a copy, and nothing here changes what the worker has.
 */
export class Published {
  readonly #deps: PublishedDeps;
  readonly #refreshing = new Map<string, Promise<void>>();
  readonly #wanted = new Map<PublishId, Wanted>();

  constructor(deps: PublishedDeps) {
    this.#deps = deps;
  }

  /** Makes a tag below `mayfly/` stand for what it names now, or for nothing. @throws Fault unavailable when no worker answers */
  async refresh(repository: string, tag: string): Promise<void> {
    const key = `${repository}:${tag}`;
    const refreshing = this.#refreshing.get(key) ?? this.#refresh(repository, tag);
    this.#refreshing.set(key, refreshing);
    try {
      await refreshing;
    } finally {
      this.#refreshing.delete(key);
    }
  }

  async #refresh(repository: string, tag: string): Promise<void> {
    const { store } = this.#deps;
    const image = await this.#imageOf(repository, tag);
    if (image === null) return void (await store.index.removeTag(repository, tag));
    if (image.startsWith("sha256:") && (await this.#pointed(repository, tag, image as Digest))) return;
    try {
      await this.#bring(repository, tag, image);
    } catch (error) {
      // The copy is of an earlier time; it is better than nothing.
      if (!(await store.index.manifest(repository, tag))) throw error;
      this.#deps.log.warn({ err: error, repository, tag }, "an image could not be refreshed; its last copy is given");
    }
  }

  /** What a worker knows it by: a digest, or a tag of its store. */
  async #imageOf(repository: string, tag: string): Promise<string | null> {
    const name = /^mayfly\/function\/(.+)$/.exec(repository)?.[1];
    if (name === undefined) return `${repository}:${tag}`;
    return (await this.#deps.catalog.version(name, tag))?.image ?? null;
  }

  /** True: the image is here already, and the tag points at it now. */
  async #pointed(repository: string, tag: string, digest: Digest): Promise<boolean> {
    const { store } = this.#deps;
    if (!(await store.index.manifest(repository, digest)) || !(await store.blobs.has(digest))) return false;
    await enter(store, repository, tag, digest);
    return true;
  }

  async #bring(repository: string, tag: string, image: string): Promise<void> {
    const unavailable = (why: string, cause?: unknown) =>
      new Fault("unavailable", { detail: `${repository}:${tag} lies with the workers, and ${why}`, cause });
    if (this.#deps.workers.size === 0) throw unavailable("no worker is connected");
    const publish = newPublishId(Date.now());
    const wanted: Wanted = { repository, tag, done: Promise.withResolvers() };
    this.#wanted.set(publish, wanted);
    const late = setTimeout(() => wanted.done.reject(unavailable("none has brought it in time")), WAIT_MS);
    try {
      await this.#deps.producer.publish({ publish, image, channel: this.#deps.channel }).catch((cause) => {
        throw unavailable("the queue cannot be reached", cause);
      });
      await wanted.done.promise;
    } finally {
      clearTimeout(late);
      this.#wanted.delete(publish);
    }
  }

  /** Whether a worker that has come for a job is still waited for. */
  wants(publish: PublishId): boolean {
    return this.#wanted.has(publish);
  }

  /** Takes what a worker brings. Every byte of it is checked, as if anybody had sent it. */
  async take(publish: PublishId, channel: FrameChannel): Promise<void> {
    const wanted = this.#wanted.get(publish);
    if (!wanted) return;
    const { repository, tag, done } = wanted;
    const { store } = this.#deps;
    try {
      const { image, source } = await openOffer(channel);
      if (image === null) await store.index.removeTag(repository, tag);
      else if (!(await this.#pointed(repository, tag, image))) {
        const importer = imageImporter({
          ...{ blobs: store.blobs, most_bytes: FIXED_LIMITS.image_bytes, retry: ONCE, parallel: 1 },
        });
        await importer.fetch(source, image);
        await enter(store, repository, tag, image);
      }
      done.resolve();
    } catch (error) {
      done.reject(error);
    }
  }
}

/** Enters an image whose blobs are here into a repository. */
async function enter(store: RegistryStore, repository: string, tag: string, digest: Digest): Promise<void> {
  const bytes = await store.blobs.read(digest, FIXED_LIMITS.manifest_bytes);
  const { named, ...described } = parseManifest(bytes, null);
  for (const { digest, size_bytes } of named) {
    await store.addBlob(repository, digest, async () => ({ digest, size_bytes }));
  }
  const manifest = { repository, digest, size_bytes: bytes.byteLength, ...described };
  await store.putManifest(manifest, bytes, {
    named: named.map((one) => one.digest),
    tag,
    check: async () => {
      for (const one of named) {
        if ((await store.blobSize(repository, one.digest)) === null) throw new Error(`${one.digest} is gone already`);
      }
    },
  });
}
