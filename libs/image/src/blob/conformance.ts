import { buffer } from "node:stream/consumers";
import type { Digest } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { sha256 } from "../digest.ts";
import type { BlobStore } from "./blob-store.ts";

/** One fresh store, and the two things about it that only its backend can do. */
export interface Backend {
  readonly store: BlobStore;
  /** Changes the bytes of a stored blob behind the store's back. */
  damage(digest: Digest): Promise<void>;
  /** Writes a file that the store can take. @returns its path */
  file(bytes: Uint8Array): Promise<string>;
  /** Makes a stored blob look as if it had last been used a day ago. */
  age(digest: Digest): Promise<void>;
  /** Whatever lies about besides whole blobs. */
  leftovers(): Promise<readonly string[]>;
}

const HELLO = Buffer.from("hello");
const HELLO_DIGEST = sha256(HELLO);
const ABSENT = sha256(Buffer.from("never stored"));

async function* pieces(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** What every blob store promises. Give a factory of empty ones. */
export function blobStoreConformance(name: string, open: () => Promise<Backend>): void {
  describe(`the blob store on ${name}`, () => {
    it("gives back what was put, by digest, whole or as a stream", async () => {
      const { store } = await open();
      expect(await store.put(HELLO)).toEqual({ digest: HELLO_DIGEST, size_bytes: 5 });
      expect(await store.read(HELLO_DIGEST, 5)).toEqual(HELLO);
      expect(await buffer(store.open(HELLO_DIGEST))).toEqual(HELLO);
    });

    it("names a stream by its bytes, however they are cut", async () => {
      const { store } = await open();
      const cut = pieces(HELLO.subarray(0, 1), new Uint8Array(0), HELLO.subarray(1));
      expect(await store.put(cut, { expect: HELLO_DIGEST })).toEqual({ digest: HELLO_DIGEST, size_bytes: 5 });
    });

    it("stores a blob of no bytes and one of many chunks", async () => {
      const { store } = await open();
      const empty = await store.put(new Uint8Array(0));
      expect(await store.read(empty.digest, 0)).toHaveLength(0);
      const large = Buffer.alloc(3_000_001, "mayfly");
      expect(await buffer(store.open((await store.put(large)).digest))).toEqual(large);
    });

    it("refuses other bytes than expected and keeps nothing of them", async () => {
      const { store, leftovers } = await open();
      const putting = store.put(HELLO, { expect: ABSENT });
      await expect(putting).rejects.toMatchObject({ reason: "refused", message: expect.stringContaining(ABSENT) });
      expect(await store.has(HELLO_DIGEST)).toBe(false);
      expect(await store.has(ABSENT)).toBe(false);
      expect(await leftovers()).toEqual([]);
    });

    it("takes a file by moving it, when its bytes are the expected ones", async () => {
      const { store, file } = await open();
      const path = await file(HELLO);
      await expect(store.take(path, ABSENT)).rejects.toMatchObject({ reason: "refused" });
      expect(await store.has(ABSENT)).toBe(false);
      expect(await store.take(path, HELLO_DIGEST)).toEqual({ digest: HELLO_DIGEST, size_bytes: 5 });
      expect(await store.read(HELLO_DIGEST, 5)).toEqual(HELLO);
      await expect(store.take(path, HELLO_DIGEST)).rejects.toMatchObject({ reason: "io" });
      expect(await store.has(HELLO_DIGEST)).toBe(true);
    });

    it("passes on what a failing source threw and keeps nothing of it", async () => {
      const { store, leftovers } = await open();
      const failure = new Error("the line broke");
      const failing = (async function* () {
        yield HELLO;
        throw failure;
      })();
      await expect(store.put(failing)).rejects.toBe(failure);
      expect(await Array.fromAsync(store.list())).toEqual([]);
      expect(await leftovers()).toEqual([]);
    });

    it("says that a blob is missing", async () => {
      const { store } = await open();
      const missing = { reason: "missing", message: expect.stringContaining(ABSENT) };
      await expect(store.read(ABSENT, 1)).rejects.toMatchObject(missing);
      await expect(buffer(store.open(ABSENT))).rejects.toMatchObject(missing);
      expect(await store.has(ABSENT)).toBe(false);
    });

    it("fails every read of a damaged blob, and is mended by a put", async () => {
      const { store, damage } = await open();
      await store.put(HELLO);
      await damage(HELLO_DIGEST);
      const corrupt = { reason: "corrupt", message: expect.stringContaining(HELLO_DIGEST) };
      await expect(store.read(HELLO_DIGEST, 100)).rejects.toMatchObject(corrupt);
      await expect(buffer(store.open(HELLO_DIGEST))).rejects.toMatchObject(corrupt);
      await store.put(HELLO);
      expect(await store.read(HELLO_DIGEST, 5)).toEqual(HELLO);
    });

    it("gives a part of a blob, from a byte up to another", async () => {
      const { store } = await open();
      await store.put(HELLO);
      const part = async (start: number, end: number) =>
        (await buffer(store.openRange(HELLO_DIGEST, start, end))).toString();
      expect(await Promise.all([part(0, 5), part(1, 3), part(3, 99), part(2, 2)])).toEqual(["hello", "el", "lo", ""]);
      await expect(buffer(store.openRange(ABSENT, 0, 1))).rejects.toMatchObject({ reason: "missing" });
    });

    it("does not read more than it was allowed to", async () => {
      const { store } = await open();
      await store.put(HELLO);
      await expect(store.read(HELLO_DIGEST, 4)).rejects.toMatchObject({ reason: "refused" });
    });

    it("holds one blob when many put it at once", async () => {
      const { store, leftovers } = await open();
      const put = await Promise.all(Array.from({ length: 8 }, () => store.put(pieces(HELLO))));
      expect(new Set(put.map((blob) => blob.digest))).toEqual(new Set([HELLO_DIGEST]));
      expect(await Array.fromAsync(store.list())).toHaveLength(1);
      expect(await leftovers()).toEqual([]);
    });

    it("lists its blobs with the time of their last use", async () => {
      const { store, age } = await open();
      const before = Date.now() - 1000;
      const used = async () => (await Array.fromAsync(store.list()))[0]!.used_at.getTime();
      await store.put(HELLO);
      expect(await Array.fromAsync(store.list())).toMatchObject([{ digest: HELLO_DIGEST, size_bytes: 5 }]);
      expect(await used()).toBeGreaterThan(before);
      await age(HELLO_DIGEST);
      expect(await used()).toBeLessThan(before);
      await store.has(HELLO_DIGEST);
      expect(await used()).toBeGreaterThan(before);
      await age(HELLO_DIGEST);
      await store.put(HELLO);
      expect(await used()).toBeGreaterThan(before);
    });

    it("forgets a blob, once", async () => {
      const { store } = await open();
      await store.put(HELLO);
      expect(await store.remove(HELLO_DIGEST, null)).toBe(true);
      expect(await store.has(HELLO_DIGEST)).toBe(false);
      expect(await store.remove(HELLO_DIGEST, null)).toBe(false);
    });

    it("does not forget what was used since", async () => {
      const { store, age, leftovers } = await open();
      const hourAgo = new Date(Date.now() - 3_600_000);
      await store.put(HELLO);
      expect(await store.remove(HELLO_DIGEST, hourAgo)).toBe(false);
      expect(await store.read(HELLO_DIGEST, 5)).toEqual(HELLO);
      await age(HELLO_DIGEST);
      expect(await store.remove(HELLO_DIGEST, hourAgo)).toBe(true);
      expect(await leftovers()).toEqual([]);
    });

    it("hides a damaged blob in quarantine, where it is in nobody's way", async () => {
      const { store, damage } = await open();
      await store.put(HELLO);
      await damage(HELLO_DIGEST);
      await store.quarantine(HELLO_DIGEST);
      await store.quarantine(HELLO_DIGEST);
      await expect(store.read(HELLO_DIGEST, 100)).rejects.toMatchObject({ reason: "missing" });
      expect(await Array.fromAsync(store.list())).toEqual([]);
      await store.put(HELLO);
      expect(await store.read(HELLO_DIGEST, 5)).toEqual(HELLO);
    });

    it("takes no name that is not a digest", async () => {
      const { store } = await open();
      for (const name of ["sha256:../../etc/passwd", "", "sha256:00", `sha512:${"0".repeat(128)}`] as Digest[]) {
        await expect(store.read(name, 1)).rejects.toMatchObject({ reason: "refused" });
        await expect(store.has(name)).rejects.toMatchObject({ reason: "refused" });
        await expect(store.remove(name, null)).rejects.toMatchObject({ reason: "refused" });
      }
    });
  });
}
