import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest, RootFs } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { hexOf, isDigest, Meter } from "../digest.ts";
import { replaceFile } from "../durable.ts";
import { errno, explain, ImageError } from "../error.ts";
import type { LayerEntry } from "../layer/entry.ts";
import type { LayerLimits } from "../layer/limits.ts";
import { tarOf } from "../layer/to-tar.ts";
import type { Scratch } from "../scratch.ts";
import type { LayerTree } from "../tree/layer-tree.ts";
import { chainIds } from "./chain-id.ts";
import { formatMeta, parseMeta, type SnapshotMeta } from "./snapshot.ts";
import type { Snapshotter } from "./snapshotter.ts";
import { Syncing } from "./syncing.ts";
import { type StackedLayer, unpackLayer } from "./unpack-layer.ts";

/** proc_sys_kernel(5), "random": another one after each start of the kernel. */
const BOOT = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();

interface Parts {
  readonly scratch: Scratch;
  readonly blobs: BlobStore;
  readonly tree: LayerTree;
  readonly limits: LayerLimits;
}

/**
 * Folders `<hex of chainID>/{fs,meta.json}` for overlayfs. A snapshot is made elsewhere and renamed to its place: where it is visible it is
 * whole. Nobody waits for the disk, because a snapshot can be made again: it is synced behind the caller's back, and what a power cut
 * came before is swept when the store is opened. The time of meta.json is that of its last use.
 */
export class Snapshots implements Snapshotter {
  readonly #dir: string;
  readonly #parts: Parts;
  readonly #unpacking = new Map<Digest, Promise<void>>();
  readonly #syncing: Syncing;

  private constructor(dir: string, parts: Parts) {
    this.#dir = dir;
    this.#parts = parts;
    this.#syncing = new Syncing(dir, parts.tree, (chainId, cacheId) => this.#markDurable(chainId, cacheId));
  }

  static async open(dir: string, parts: Parts): Promise<Snapshots> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const snapshots = new Snapshots(dir, parts);
    for (const name of await readdir(dir)) await snapshots.#settle(`sha256:${name}` as Digest);
    return snapshots;
  }

  /** Resolves when what was unpacked is on disk, or could not be written. */
  synced(): Promise<void> {
    return this.#syncing.settled();
  }

  /** After a power cut a snapshot that was not synced may have holes anywhere, also in meta.json. */
  async #settle(chainId: Digest): Promise<void> {
    if (!isDigest(chainId)) return;
    const meta = await this.meta(chainId).catch(() => null);
    if (meta?.durable) return;
    if (meta?.boot === BOOT) this.#syncing.add(chainId, meta.cache_id);
    else await this.remove(chainId, null);
  }

  async #markDurable(chainId: Digest, cacheId: string): Promise<void> {
    const meta = await this.meta(chainId);
    // It may have been removed and unpacked again since.
    if (meta.cache_id !== cacheId) return;
    await replaceFile(
      join(this.#path(chainId), "meta.json"),
      formatMeta({ ...meta, durable: true }),
      this.#parts.scratch,
    );
  }

  async rootfs(layers: readonly StackedLayer[]): Promise<RootFs> {
    const chain = chainIds(layers.map((layer) => layer.diff_id));
    const here = await Promise.all(chain.map((chainId) => this.#use(chainId)));
    let lower: string[] = [];
    for (const [at, chainId] of chain.entries()) {
      const known = here[at] ?? (await this.#use(chainId));
      if (known === null) await this.#ensure(chainId, chain[at - 1] ?? null, layers[at]!, lower);
      const { hides_below } = known ?? (await this.meta(chainId));
      lower = hides_below ? [this.#fs(chainId)] : [this.#fs(chainId), ...lower];
    }
    return { lower };
  }

  async verify(layers: readonly StackedLayer[]): Promise<boolean> {
    const below = (await this.rootfs(layers.slice(0, -1))).lower;
    const { tree, scratch } = this.#parts;
    const temp = scratch.path("verified");
    try {
      await mkdir(temp, { mode: 0o755 });
      await unpackLayer(layers.at(-1)!, temp, below, this.#parts);
      const [made, found] = await Promise.all(
        [temp, this.#fs(chainIds(layers.map((layer) => layer.diff_id)).at(-1)!)].map((fs) =>
          digestOf(tree.walk(fs, below)),
        ),
      );
      return made === found;
    } finally {
      await scratch.discard(temp);
    }
  }

  async has(chainId: Digest): Promise<boolean> {
    return (await this.#usedAt(this.#path(chainId))) !== null;
  }

  async meta(chainId: Digest): Promise<SnapshotMeta> {
    try {
      return parseMeta(chainId, await readFile(join(this.#path(chainId), "meta.json"), "utf8"));
    } catch (error) {
      if (errno(error) === "ENOENT") throw new ImageError("missing", `there is no snapshot ${chainId}`, error);
      throw explain(`reading the snapshot ${chainId}`, error);
    }
  }

  async *list(): AsyncGenerator<{ chainId: Digest; used_at: Date }> {
    for (const name of await readdir(this.#dir)) {
      const chainId = `sha256:${name}`;
      if (!isDigest(chainId)) continue;
      const used_at = await this.#usedAt(this.#path(chainId));
      if (used_at) yield { chainId, used_at };
    }
  }

  async remove(chainId: Digest, unusedSince: Date | null): Promise<boolean> {
    const { scratch } = this.#parts;
    const grave = scratch.path("removed");
    try {
      await rename(this.#path(chainId), grave);
      // Looked at only now: nobody can begin to use it any more.
      const used_at = await this.#usedAt(grave);
      if (unusedSince && used_at && used_at >= unusedSince) {
        await rename(grave, this.#path(chainId)).catch((error) => this.#unlessMadeMeanwhile(error));
        await scratch.discard(grave);
        return false;
      }
    } catch (error) {
      if (errno(error) === "ENOENT") return false;
      throw explain(`removing the snapshot ${chainId}`, error);
    }
    await scratch.discard(grave);
    return true;
  }

  async #ensure(chainId: Digest, parent: Digest | null, layer: StackedLayer, lower: readonly string[]): Promise<void> {
    const begun = this.#unpacking.get(chainId) ?? this.#unpack(chainId, parent, layer, lower);
    this.#unpacking.set(chainId, begun);
    try {
      await begun;
    } finally {
      this.#unpacking.delete(chainId);
    }
  }

  async #unpack(chainId: Digest, parent: Digest | null, layer: StackedLayer, lower: readonly string[]): Promise<void> {
    const { scratch } = this.#parts;
    const temp = scratch.path("snapshot");
    try {
      await mkdir(temp, { mode: 0o700 });
      await mkdir(join(temp, "fs"), { mode: 0o755 });
      const unpacked = await unpackLayer(layer, join(temp, "fs"), lower, this.#parts);
      const made = { cache_id: randomUUID(), parent, diff_id: layer.diff_id, boot: BOOT, durable: false };
      await writeFile(join(temp, "meta.json"), formatMeta({ ...made, ...unpacked }), { mode: 0o600 });
      await rename(temp, this.#path(chainId)).catch((error) => this.#unlessMadeMeanwhile(error));
      this.#syncing.add(chainId, made.cache_id);
    } catch (error) {
      throw explain(`unpacking the layer ${layer.digest}`, error);
    } finally {
      await scratch.discard(temp);
    }
  }

  /** Another process may have unpacked the same layer: then its snapshot stays and ours goes. */
  #unlessMadeMeanwhile(error: unknown): void {
    if (errno(error) !== "ENOTEMPTY" && errno(error) !== "EEXIST") throw error;
  }

  /** Says that a snapshot is used, so that garbage collection lets it be. Null when it is not there. */
  async #use(chainId: Digest): Promise<SnapshotMeta | null> {
    const now = new Date();
    try {
      await utimes(join(this.#path(chainId), "meta.json"), now, now);
    } catch (error) {
      if (errno(error) === "ENOENT") return null;
      throw explain(`using the snapshot ${chainId}`, error);
    }
    return this.meta(chainId);
  }

  async #usedAt(path: string): Promise<Date | null> {
    try {
      return (await stat(join(path, "meta.json"))).mtime;
    } catch (error) {
      if (errno(error) === "ENOENT") return null;
      throw explain(`looking for the snapshot in ${path}`, error);
    }
  }

  #path = (chainId: Digest) => join(this.#dir, hexOf(chainId));
  #fs = (chainId: Digest) => join(this.#path(chainId), "fs");
}

async function digestOf(entries: AsyncIterable<LayerEntry>): Promise<Digest> {
  const meter = new Meter();
  for await (const chunk of tarOf(entries)) meter.add(chunk);
  return meter.digest();
}
