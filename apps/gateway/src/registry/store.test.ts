import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Digest } from "@mayfly/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Holds } from "./holds.ts";
import { RegistryStore } from "./store.ts";
import { OutOfOrder } from "./uploads.ts";

const later = () => new Date(Date.now() + 60_000);
const earlier = () => new Date(Date.now() - 60_000);

async function* body(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}
const chunk = (...parts: string[]) => ({ body: body(...parts), start: null, length: null, cut: () => {} });

describe("the registry's store", () => {
  let dir: string;
  let store: RegistryStore;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-registry-"));
    store = await RegistryStore.open(dir);
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const addBlob = async (repository: string, text: string): Promise<Digest> => {
    const { digest } = await store.blobs.put(Buffer.from(text));
    await store.addBlob(repository, digest, (blobs) => blobs.put(Buffer.from(text), { expect: digest }));
    return digest;
  };
  const addManifest = async (repository: string, text: string, named: Digest[]): Promise<Digest> => {
    const { digest } = await store.blobs.put(Buffer.from(text));
    const described = {
      media_type: "m",
      size_bytes: text.length,
      subject: null,
      artifact_type: null,
      annotations: null,
    };
    const manifest = { repository, digest, ...described };
    await store.putManifest(manifest, Buffer.from(text), { named, tag: "latest", check: async () => {} });
    return digest;
  };

  it("sweeps blobs that nothing names, and keeps those that something names", async () => {
    const [named, loose, shared] = [
      await addBlob("a", "named"),
      await addBlob("a", "loose"),
      await addBlob("b", "named"),
    ];
    const manifest = await addManifest("a", "manifest", [named]);
    const { digest: orphan } = await store.blobs.put(Buffer.from("of a process that died"));
    await store.sweep({ blobs: earlier(), uploads: earlier() });
    for (const digest of [named, loose, manifest, orphan]) expect(await store.blobs.has(digest)).toBe(true);
    await store.sweep({ blobs: later(), uploads: earlier() });
    expect([await store.blobs.has(loose), await store.blobs.has(orphan)]).toEqual([false, false]);
    expect([await store.blobs.has(named), await store.blobs.has(manifest)]).toEqual([true, true]);
    expect(shared).toBe(named);
    expect([await store.blobSize("a", named), await store.blobSize("b", named)]).toEqual([5, null]);
    await store.removeManifest("a", manifest);
    await store.sweep({ blobs: later(), uploads: earlier() });
    expect(await Array.fromAsync(store.blobs.list())).toEqual([]);
  });

  it("never sweeps a blob from under a manifest that comes at the same time", async () => {
    for (let round = 0; round < 20; round += 1) {
      const blob = await addBlob("race", `blob ${round}`);
      const check = async () => {
        if ((await store.blobSize("race", blob)) === null) throw new Error("swept before");
      };
      const bytes = Buffer.from(`manifest ${round}`);
      const { digest } = await store.blobs.put(bytes);
      const described = { media_type: "m", size_bytes: 1, subject: null, artifact_type: null, annotations: null };
      const putting = store
        .putManifest({ repository: "race", digest, ...described }, bytes, { named: [blob], tag: null, check })
        .then(
          () => true,
          () => false,
        );
      await Promise.all([putting, store.sweep({ blobs: later(), uploads: earlier() })]);
      const there = (await putting) ? [true, true] : [false, false];
      expect([await store.blobs.has(blob), (await store.index.manifest("race", digest)) !== null]).toEqual(there);
    }
  });

  it("sweeps uploads that were given up, and finds the others after a restart", async () => {
    const id = await store.uploads.begin("a");
    await store.uploads.append(id, chunk("hel"));
    await store.close();
    store = await RegistryStore.open(dir);
    expect(await store.uploads.size("a", id)).toBe(3);
    expect(await store.uploads.append(id, chunk("lo"))).toBe(5);
    await store.sweep({ blobs: earlier(), uploads: earlier() });
    expect(await store.uploads.size("a", id)).toBe(5);
    await store.sweep({ blobs: earlier(), uploads: later() });
    expect(await store.uploads.size("a", id)).toBeNull();
    expect(readdirSync(join(dir, "uploads"))).toEqual([]);
  });

  it("keeps of an upload what came before it broke, and says where it goes on", async () => {
    const id = await store.uploads.begin("a");
    const breaking = (async function* () {
      yield Buffer.from("hel");
      throw new Error("the line broke");
    })();
    await expect(store.uploads.append(id, { ...chunk(), body: breaking })).rejects.toThrow("the line broke");
    await expect(store.uploads.append(id, { ...chunk("x"), start: 9 })).rejects.toBeInstanceOf(OutOfOrder);
    expect(await store.uploads.append(id, { ...chunk("lo"), start: 3 })).toBe(5);
  });

  it("lets a later request take an upload over from one that hangs", async () => {
    const id = await store.uploads.begin("a");
    const hanging = Promise.withResolvers<never>();
    const hang = (async function* () {
      yield Buffer.from("hel");
      await hanging.promise;
    })();
    const first = store.uploads.append(id, { ...chunk(), body: hang, cut: () => hanging.reject(new Error("cut")) });
    first.catch(() => {});
    await sleep(50);
    expect(await store.uploads.append(id, chunk("lo"))).toBe(5);
    await expect(first).rejects.toThrow("cut");
  });
});

describe("a hold", () => {
  it("waits for a removal that has begun, and keeps another from beginning", async () => {
    const holds = new Holds();
    const digest = `sha256:${"a".repeat(64)}` as Digest;
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const removing = holds.remove(digest, async () => {
      await gate.promise;
      order.push("removed");
    });
    const holding = holds.hold([digest], async () => {
      order.push("held");
      await holds.remove(digest, async () => void order.push("removed while held"));
    });
    gate.resolve();
    await Promise.all([removing, holding]);
    await holds.remove(digest, async () => void order.push("removed again"));
    expect(order).toEqual(["removed", "held", "removed again"]);
  });
});
