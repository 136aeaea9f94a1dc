import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import type { BlobStore } from "../blob/blob-store.ts";
import { sha256 } from "../digest.ts";
import { tarOf } from "../layer/to-tar.ts";
import { directory, file } from "../testing/entries.ts";
import { chainIds } from "./chain-id.ts";
import type { Snapshotter } from "./snapshotter.ts";
import type { StackedLayer } from "./unpack-layer.ts";

/** One fresh snapshotter over one fresh blob store, and what only its backend can do. */
export interface SnapshotBackend {
  readonly snapshots: Snapshotter;
  readonly blobs: BlobStore;
  /** The same snapshots opened anew, as another process or a later one would. */
  reopen(): Promise<Snapshotter>;
  /** Makes a snapshot look as if it had last been used a day ago. */
  age(chainId: Digest): Promise<void>;
  /** Makes a snapshot look as if the power had been cut before it was on disk. */
  forgetDisk(chainId: Digest): Promise<void>;
  /** Whatever lies about besides whole snapshots. */
  leftovers(): Promise<readonly string[]>;
}

const HOUR_AGO = () => new Date(Date.now() - 3_600_000);

/** What every snapshotter promises. Give a factory of empty ones. */
export function snapshotterConformance(name: string, open: () => Promise<SnapshotBackend>): void {
  const layer = async (blobs: BlobStore, text: string): Promise<StackedLayer> => {
    const tar = Buffer.concat(
      await Array.fromAsync(tarOf([directory("d"), file(`d/${text}`, text), file("top", text)])),
    );
    const { digest } = await blobs.put(tar);
    return { digest, diff_id: sha256(tar) };
  };
  const stack = async (blobs: BlobStore, ...texts: string[]) => Promise.all(texts.map((text) => layer(blobs, text)));
  const chainOf = (layers: readonly StackedLayer[]) => chainIds(layers.map(({ diff_id }) => diff_id));

  describe(`the snapshotter on ${name}`, () => {
    it("gives the folders of a stack, topmost first, each with its own layer alone", async () => {
      const { snapshots, blobs } = await open();
      const { lower } = await snapshots.rootfs(await stack(blobs, "a", "b"));
      expect(lower.map((folder) => readFileSync(join(folder, "top"), "utf8"))).toEqual(["b", "a"]);
      expect(readFileSync(join(lower[1]!, "d", "a"), "utf8")).toBe("a");
    });

    it("unpacks once what stacks share, and once however many ask at once", async () => {
      const { snapshots, blobs } = await open();
      const [a, b, c] = await stack(blobs, "a", "b", "c");
      const asked = await Promise.all(
        [[a!, b!], [a!, c!], [a!, b!], [a!]].map((layers) => snapshots.rootfs(layers).then(({ lower }) => lower)),
      );
      expect(asked[0]).toEqual(asked[2]);
      expect(new Set(asked.map((lower) => lower.at(-1))).size).toBe(1);
      expect(await Array.fromAsync(snapshots.list())).toHaveLength(3);
    });

    it("keeps apart one layer over different ones", async () => {
      const { snapshots, blobs } = await open();
      const [a, b, c] = await stack(blobs, "a", "b", "c");
      const over = await Promise.all([snapshots.rootfs([a!, c!]), snapshots.rootfs([b!, c!])]);
      expect(over[0]!.lower[0]).not.toBe(over[1]!.lower[0]);
    });

    it("takes one layer that lies in a stack twice", async () => {
      const { snapshots, blobs } = await open();
      const [a] = await stack(blobs, "a");
      expect((await snapshots.rootfs([a!, a!])).lower).toHaveLength(2);
    });

    it("tells parent, diff and size of each", async () => {
      const { snapshots, blobs } = await open();
      const layers = await stack(blobs, "a", "bb");
      await snapshots.rootfs(layers);
      const [bottom, top] = chainOf(layers);
      expect(await snapshots.meta(bottom!)).toMatchObject({
        parent: null,
        diff_id: layers[0]!.diff_id,
        entries: 3,
        size_bytes: 2,
      });
      expect(await snapshots.meta(top!)).toMatchObject({ parent: bottom, diff_id: layers[1]!.diff_id, size_bytes: 4 });
      const ids = await Promise.all([bottom!, top!].map(async (id) => (await snapshots.meta(id)).cache_id));
      expect(new Set(ids).size).toBe(2);
      await expect(snapshots.meta(sha256(Buffer.from("none")))).rejects.toMatchObject({ reason: "missing" });
    });

    it("can tell whether a snapshot is still what its layer holds", async () => {
      const { snapshots, blobs, leftovers } = await open();
      const layers = await stack(blobs, "a", "b");
      const { lower } = await snapshots.rootfs(layers);
      expect(await snapshots.verify(layers)).toBe(true);
      expect(await snapshots.verify(layers.slice(0, 1))).toBe(true);
      // Same size, same time: only the bytes are others.
      const path = join(lower[0]!, "top");
      const { mtime } = statSync(path);
      writeFileSync(path, "c");
      utimesSync(path, mtime, mtime);
      expect(await snapshots.verify(layers)).toBe(false);
      expect(await snapshots.verify(layers.slice(0, 1))).toBe(true);
      expect(await leftovers()).toEqual([]);
    });

    it("is the same to whoever opens it later", async () => {
      const backend = await open();
      const layers = await stack(backend.blobs, "a");
      const { lower } = await backend.snapshots.rootfs(layers);
      await backend.snapshots.synced();
      const later = await backend.reopen();
      expect(await later.has(chainOf(layers)[0]!)).toBe(true);
      expect((await later.rootfs(layers)).lower).toEqual(lower);
    });

    it("leaves nothing of a layer that is not what it should be, and keeps what lies below it", async () => {
      const { snapshots, blobs, leftovers } = await open();
      const [a, b] = await stack(blobs, "a", "b");
      const wrong = { digest: b!.digest, diff_id: a!.diff_id };
      await expect(snapshots.rootfs([a!, wrong])).rejects.toMatchObject({ reason: "corrupt" });
      const missing = { digest: sha256(Buffer.from("none")), diff_id: a!.diff_id };
      await expect(snapshots.rootfs([a!, missing])).rejects.toMatchObject({ reason: "missing" });
      expect(await Array.fromAsync(snapshots.list())).toMatchObject([{ chainId: a!.diff_id }]);
      expect(await leftovers()).toEqual([]);
    });

    it("removes a snapshot, once, and makes it again when it is asked for", async () => {
      const { snapshots, blobs, leftovers } = await open();
      const layers = await stack(blobs, "a");
      const [chainId] = chainOf(layers);
      await snapshots.rootfs(layers);
      expect(await snapshots.remove(chainId!, null)).toBe(true);
      expect(await snapshots.has(chainId!)).toBe(false);
      expect(await snapshots.remove(chainId!, null)).toBe(false);
      const { lower } = await snapshots.rootfs(layers);
      expect(readFileSync(join(lower[0]!, "top"), "utf8")).toBe("a");
      expect(await leftovers()).toEqual([]);
    });

    it("does not remove what was used since", async () => {
      const { snapshots, blobs, age, leftovers } = await open();
      const layers = await stack(blobs, "a");
      const [chainId] = chainOf(layers);
      const { lower } = await snapshots.rootfs(layers);
      expect(await snapshots.remove(chainId!, HOUR_AGO())).toBe(false);
      await age(chainId!);
      await snapshots.rootfs(layers);
      expect(await snapshots.remove(chainId!, HOUR_AGO())).toBe(false);
      expect(readFileSync(join(lower[0]!, "top"), "utf8")).toBe("a");
      await age(chainId!);
      expect(await snapshots.remove(chainId!, HOUR_AGO())).toBe(true);
      expect(await leftovers()).toEqual([]);
    });

    it("forgets what a power cut came before, and only that", async () => {
      const backend = await open();
      const [a, b] = await stack(backend.blobs, "a", "b");
      await backend.snapshots.rootfs([a!]);
      await backend.snapshots.rootfs([b!]);
      await backend.snapshots.synced();
      await backend.forgetDisk(b!.diff_id);
      const later = await backend.reopen();
      expect(await later.has(a!.diff_id)).toBe(true);
      expect(await later.has(b!.diff_id)).toBe(false);
      expect(readFileSync(join((await later.rootfs([b!])).lower[0]!, "top"), "utf8")).toBe("b");
      await later.synced();
      expect(await backend.leftovers()).toEqual([]);
    });
  });
}
