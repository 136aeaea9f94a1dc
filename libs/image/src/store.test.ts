import { utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { hexOf, sha256 } from "./digest.ts";
import { archive, file } from "./testing/archive.ts";
import { TestStore } from "./testing/store.ts";

const tar = (text: string) => archive(file(text, text));
const SOON = () => new Date(Date.now() + 60_000);
const HOUR_AGO = () => new Date(Date.now() - 3_600_000);

describe("a tag", () => {
  it("points at an image that is here as a whole, and at nothing else", async () => {
    const { store } = await TestStore.forTest();
    await expect(store.tag("x", sha256(Buffer.from("none")))).rejects.toMatchObject({ reason: "missing" });
    const text = await store.blobs.put(Buffer.from("text"));
    await expect(store.tag("x", text.digest)).rejects.toMatchObject({ reason: "corrupt" });
    expect(await store.resolve("x")).toBeNull();
  });

  it("is not set to an image that lacks a layer", async () => {
    const test = await TestStore.forTest();
    const image = await test.image(tar("a"), tar("b"));
    const { manifest } = await test.store.image(image);
    await test.store.blobs.remove(manifest.layers[0]!.digest, null);
    await expect(test.store.tag("x", image)).rejects.toThrow(manifest.layers[0]!.digest);
  });

  it("goes back to what it pointed at before, step by step, and forward by name", async () => {
    const test = await TestStore.forTest();
    const [one, two, three] = [await test.image(tar("1")), await test.image(tar("2")), await test.image(tar("3"))];
    for (const image of [one, two, three]) await test.store.tag("app", image);
    expect(await test.store.rollback("app")).toBe(two);
    expect(await test.store.rollback("app:latest")).toBe(one);
    await expect(test.store.rollback("app")).rejects.toThrow("pointed at nothing before");
    expect(await test.store.rollback("app", three)).toBe(three);
    expect((await test.store.tagLog("app")).map(({ digest }) => digest)).toEqual([three, two, one]);
    expect(await test.store.resolve("app")).toBe(three);
    await expect(test.store.rollback("app", sha256(Buffer.from("none")))).rejects.toMatchObject({ reason: "missing" });
    await expect(test.store.rollback("none")).rejects.toThrow("there is no tag none");
  });

  it("that is set again to what it once pointed at has that one last in its log", async () => {
    const test = await TestStore.forTest();
    const [one, two] = [await test.image(tar("1")), await test.image(tar("2"))];
    for (const image of [one, two, one]) await test.store.tag("app", image);
    expect((await test.store.tagLog("app")).map(({ digest }) => digest)).toEqual([one, two]);
    expect(await test.store.rollback("app")).toBe(two);
  });

  it("remembers the last sixteen besides what it points at", async () => {
    const test = await TestStore.forTest();
    const layer = await test.store.addLayer([], { compression: "none" });
    for (let at = 0; at < 20; at++) {
      const image = { base: null, layers: [layer], config: { User: String(at) }, history: ["x"], created: new Date(0) };
      await test.store.tag("app", await test.store.createImage(image));
    }
    expect(await test.store.tagLog("app")).toHaveLength(17);
  });

  it("keeps a registry's host apart from names of ours", async () => {
    const test = await TestStore.forTest();
    const image = await test.image(tar("a"));
    await test.store.tag("registry.example.com:5000/team/app:1", image);
    await test.store.tag("team/app:1", image);
    expect([...(await test.store.tags()).keys()]).toEqual(["registry.example.com:5000/team/app:1", "team/app:1"]);
    expect(await test.store.untag("team/app:1")).toBe(true);
    expect(await test.store.untag("team/app:1")).toBe(false);
    expect(await test.store.resolve("registry.example.com:5000/team/app:1")).toBe(image);
    expect(await test.store.resolve(`anything@${image}`)).toBe(image);
  });
});

describe("garbage collection", () => {
  const ageAll = async (test: TestStore, ...digests: Digest[]) => {
    const dayAgo = new Date(Date.now() - 86_400_000);
    for (const digest of digests) await utimes(join(test.dir, "blobs/sha256", hexOf(digest)), dayAgo, dayAgo);
  };
  const partsOf = async (test: TestStore, image: Digest) => {
    const { manifest } = await test.store.image(image);
    return [image, manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)];
  };

  it("keeps what tags, their logs, and running boxes reach, and shared layers with it", async () => {
    const test = await TestStore.forTest();
    const [kept, former, running, lost] = [
      await test.image(tar("base"), tar("kept")),
      await test.image(tar("base"), tar("former")),
      await test.image(tar("base"), tar("running")),
      await test.image(tar("base"), tar("lost")),
    ];
    for (const image of [kept, former, running, lost]) await test.store.rootfs(image);
    await test.store.tag("app", former);
    await test.store.tag("app", kept);
    const swept = await test.store.gc({ keep: [running], before: SOON() });
    expect(swept).toMatchObject({ blobs: 3, snapshots: 1 });
    expect(swept.freed_bytes).toBeGreaterThan(1000);
    for (const image of [kept, former, running]) expect((await test.store.rootfs(image)).lower).toHaveLength(2);
    await expect(test.store.image(lost)).rejects.toMatchObject({ reason: "missing" });
    expect((await test.store.fsck()).problems).toEqual([]);
    await test.store.untag("app");
    await test.store.gc({ keep: [], before: SOON() });
    expect(await Array.fromAsync(test.store.blobs.list())).toEqual([]);
    expect(test.snapshots()).toEqual([]);
  });

  it("leaves alone what somebody is making an image of", async () => {
    const test = await TestStore.forTest();
    const image = await test.image(tar("a"));
    expect(await test.store.gc({ keep: [], before: HOUR_AGO() })).toMatchObject({ blobs: 0 });
    const parts = await partsOf(test, image);
    await ageAll(test, ...parts);
    // Somebody finds the layer here and does not bring it again.
    expect(await test.store.blobs.has(parts[2]!)).toBe(true);
    expect(await test.store.gc({ keep: [], before: HOUR_AGO() })).toMatchObject({ blobs: 2 });
    expect(await test.store.blobs.has(parts[2]!)).toBe(true);
  });

  it("does not race with whoever uses things meanwhile", async () => {
    const test = await TestStore.forTest();
    for (let round = 0; round < 5; round++) {
      const images: Digest[] = [];
      for (let at = 0; at < 12; at++) images.push(await test.image(tar("base"), tar(`image ${at}`)));
      const parts = await Promise.all(images.map((image) => partsOf(test, image)));
      await ageAll(test, ...new Set(parts.flat()));
      // Each of these finds its parts here or says that they are missing; nobody is told that a blob is here which is then gone.
      const using = parts.map(async (digests, at) => {
        await new Promise((resolve) => setTimeout(resolve, at));
        const found = await Promise.all(digests.map((digest) => test.store.blobs.has(digest)));
        await new Promise((resolve) => setTimeout(resolve, 20));
        for (const [at, digest] of digests.entries()) if (found[at]) await test.store.blobs.read(digest, 1e6);
      });
      await Promise.all([
        ...using,
        test.store.gc({ keep: [], before: HOUR_AGO() }),
        test.store.gc({ keep: [], before: HOUR_AGO() }),
      ]);
    }
    expect(await test.leftovers()).toEqual([]);
    expect((await test.store.fsck()).problems).toEqual([]);
  });

  it("stops before anything is swept when a tagged image cannot be read", async () => {
    const test = await TestStore.forTest();
    const [kept, lost] = [await test.image(tar("kept")), await test.image(tar("lost"))];
    await test.store.tag("app", kept);
    await test.store.blobs.remove((await test.store.image(kept)).manifest.config.digest, null);
    await expect(test.store.gc({ keep: [], before: SOON() })).rejects.toMatchObject({ reason: "missing" });
    expect((await test.store.image(lost)).digest).toBe(lost);
  });
});
