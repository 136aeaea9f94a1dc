import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Digest, RootFs } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { hexOf, isDigest, Meter, metered } from "../digest.ts";
import { syncDirectory, writeNewFile } from "../durable.ts";
import { errno, explain, ImageError } from "../error.ts";
import { entriesOfTar } from "../layer/tar-read.ts";
import { unpackEntries } from "../layer/unpack.ts";
import { LAYER_MEDIA_TYPE, type LayerMediaType } from "../oci.ts";
import type { Scratch } from "../scratch.ts";
import { chainIds } from "./chain-id.ts";
import { parseMeta, type SnapshotMeta } from "./snapshot.ts";

/** A layer of an image, as it is needed here. */
export interface StackedLayer {
  readonly digest: Digest;
  readonly diff_id: Digest;
  readonly media_type: LayerMediaType;
}

/**
 * Layers unpacked, each once for every stack it tops: `<hex of chainID>/{fs,meta.json}`. A snapshot is made elsewhere, synced, and
 * renamed to its place: where it is visible it is whole. It is never written again.
 */
export class Snapshots {
  readonly #dir: string;
  readonly #scratch: Scratch;
  readonly #blobs: BlobStore;
  readonly #unpacking = new Map<Digest, Promise<void>>();

  private constructor(dir: string, scratch: Scratch, blobs: BlobStore) {
    this.#dir = dir;
    this.#scratch = scratch;
    this.#blobs = blobs;
  }

  static async open(dir: string, scratch: Scratch, blobs: BlobStore): Promise<Snapshots> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return new Snapshots(dir, scratch, blobs);
  }

  /** Unpacks what is missing of a stack, bottom first. Callers that come together wait for one unpacking. */
  async rootfs(layers: readonly StackedLayer[]): Promise<RootFs> {
    const chain = chainIds(layers.map((layer) => layer.diff_id));
    const lower: string[] = [];
    for (const [at, chainId] of chain.entries()) {
      await this.#ensure(chainId, chain[at - 1] ?? null, layers[at]!, lower);
      lower.unshift(this.#fs(chainId));
    }
    return { lower };
  }

  async has(chainId: Digest): Promise<boolean> {
    return (await this.#stat(chainId)) !== null;
  }

  async meta(chainId: Digest): Promise<SnapshotMeta> {
    return parseMeta(chainId, await readFile(join(this.#path(chainId), "meta.json"), "utf8"));
  }

  async *list(): AsyncGenerator<{ chainId: Digest; unpacked_at: Date }> {
    for (const name of await readdir(this.#dir)) {
      const chainId = `sha256:${name}`;
      if (!isDigest(chainId)) continue;
      const found = await this.#stat(chainId);
      if (found) yield { chainId, unpacked_at: found.mtime };
    }
  }

  /** Out of sight first, then away: half a snapshot is never seen. No box may be using it. */
  async remove(chainId: Digest): Promise<void> {
    const grave = this.#scratch.path("removed");
    try {
      await rename(this.#path(chainId), grave);
    } catch (error) {
      if (errno(error) === "ENOENT") return;
      throw explain(`removing the snapshot ${chainId}`, error);
    }
    await syncDirectory(this.#dir);
    await rm(grave, { recursive: true, force: true });
  }

  async #ensure(chainId: Digest, parent: Digest | null, layer: StackedLayer, lowers: readonly string[]): Promise<void> {
    const running = this.#unpacking.get(chainId);
    if (running) return running;
    if (await this.has(chainId)) return;
    // Asked again after the wait: somebody may have begun meanwhile.
    const begun = this.#unpacking.get(chainId) ?? this.#unpack(chainId, parent, layer, [...lowers]);
    this.#unpacking.set(chainId, begun);
    try {
      await begun;
    } finally {
      this.#unpacking.delete(chainId);
    }
  }

  async #unpack(chainId: Digest, parent: Digest | null, layer: StackedLayer, lowers: readonly string[]): Promise<void> {
    const temp = this.#scratch.path("snapshot");
    try {
      await mkdir(join(temp, "fs"), { recursive: true, mode: 0o700 });
      const uncompressed = new Meter();
      const tar = metered(this.#openTar(layer), uncompressed);
      const count = await unpackEntries(entriesOfTar(tar), join(temp, "fs"), lowers);
      if (uncompressed.digest() !== layer.diff_id) {
        throw new ImageError("corrupt", `the layer ${layer.digest} is not the one with diff_id ${layer.diff_id}`);
      }
      const meta: SnapshotMeta = { cache_id: randomUUID(), parent, diff_id: layer.diff_id, ...count };
      await writeNewFile(join(temp, "meta.json"), `${JSON.stringify(meta, null, 2)}\n`);
      await syncDirectory(temp);
      await rename(temp, this.#path(chainId)).catch((error) => this.#unlessMadeMeanwhile(error));
      await syncDirectory(this.#dir);
    } catch (error) {
      throw explain(`unpacking the layer ${layer.digest}`, error);
    } finally {
      await rm(temp, { recursive: true, force: true });
    }
  }

  /** Another process may have unpacked the same layer: then its snapshot stays and ours goes. */
  #unlessMadeMeanwhile(error: unknown): void {
    if (errno(error) !== "ENOTEMPTY" && errno(error) !== "EEXIST") throw error;
  }

  #openTar(layer: StackedLayer): Readable {
    const blob = this.#blobs.open(layer.digest);
    if (layer.media_type === LAYER_MEDIA_TYPE.none) return blob;
    // The pipeline's error also comes out of the stream that is read, so nothing is lost here.
    return pipeline(blob, createGunzip(), () => {}) as unknown as Readable;
  }

  async #stat(chainId: Digest) {
    try {
      return await stat(join(this.#path(chainId), "meta.json"));
    } catch (error) {
      if (errno(error) === "ENOENT") return null;
      throw explain(`looking for the snapshot ${chainId}`, error);
    }
  }

  #path = (chainId: Digest) => join(this.#dir, hexOf(chainId));
  #fs = (chainId: Digest) => join(this.#path(chainId), "fs");
}
