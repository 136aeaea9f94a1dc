import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { type ImageStore, openImageStore } from "@mayfly/image";
import type { Spool } from "@mayfly/ledger";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InUse } from "./in-use.ts";
import { found, untag } from "./names.ts";
import { Roots } from "./roots.ts";
import { gc } from "./upkeep.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../../../build/native/layer-tree");
const NOW: Parameters<typeof gc>[0] = { verb: "gc", keep: [], unused_s: 0 };

let dir: string;
let store: ImageStore;
let inUse: InUse;
let roots: Roots;
let pending: ReturnType<Spool["pending"]>;
const sweep = (task: Parameters<typeof gc>[0] = NOW) =>
  gc(task, { store, inUse, roots, spool: { pending: () => pending } });
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "mayfly-upkeep-"));
  store = await openImageStore(dir, { layerTree: LAYER_TREE });
  [inUse, roots, pending] = [new InUse(), new Roots(store), []];
});
afterEach(async () => {
  await store.synced();
  await rm(dir, { recursive: true, force: true });
});

async function image(name: string): Promise<Digest> {
  const content = Buffer.from(name);
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtime_s: 0, size_bytes: content.byteLength, content };
  const layers = [await store.addLayer([{ type: "file", path: name, ...attributes }], { compression: "none" })];
  return store.createImage({ base: null, layers, config: {}, history: [name], created: new Date(0) });
}

/** Times of use have the clock's resolution, and what is used in the very moment of the sweep stays. */
const later = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("garbage collection leaves", () => {
  it("an image that boxes run, until the last of them has ended", async () => {
    const running = await image("running");
    const [one, other] = [inUse.hold(running), inUse.hold(running)];
    const { lower } = await roots.of(running);
    await later();
    one();
    one();
    expect(await sweep()).toMatchObject({ blobs: 0, snapshots: 0 });
    expect(existsSync(join(lower[0]!, "running"))).toBe(true);
    other();
    expect(await sweep()).toMatchObject({ blobs: 3, snapshots: 1 });
  });

  it("an image of a version, and one of a build whose result is on its way", async () => {
    const [version, built] = [await image("version"), await image("built")];
    const outcome = { status: "done", image: built, contract: "fetch", size_bytes: 1, exports: [] } as const;
    pending = [{ seq: 1, record: { kind: "build", result: { outcome } } as never }];
    await later();
    expect(await sweep({ ...NOW, keep: [version] })).toMatchObject({ blobs: 0 });
    expect(await sweep({ ...NOW, keep: [`sha256:${"0".repeat(64)}` as Digest, version] })).toMatchObject({ blobs: 0 });
    pending = [];
    expect(await sweep({ ...NOW, keep: [version] })).toMatchObject({ blobs: 3 });
  });

  it("what came since something began to be made, and what was used of late", async () => {
    const made = inUse.making();
    await image("made");
    await later();
    expect(await sweep()).toMatchObject({ blobs: 0 });
    made();
    expect(await sweep({ ...NOW, unused_s: 60 })).toMatchObject({ blobs: 0 });
    expect(await sweep()).toMatchObject({ blobs: 3 });
  });

  it("no memory of layers that are gone", async () => {
    const twice = await image("twice");
    await store.tag("twice", twice);
    const { lower } = await roots.of(twice);
    expect(roots.of(twice)).toBe(roots.of(twice));
    await store.synced();
    // Taken away behind our back, as a check that mends does it.
    await roots.whileSwept(() => rm(join(lower[0]!, ".."), { recursive: true }));
    expect(existsSync((await roots.of(twice)).lower[0]!)).toBe(true);
    await roots.whileSwept(async () => {
      await roots.of(twice);
      await store.synced();
      await rm(join(lower[0]!, ".."), { recursive: true });
    });
    expect(existsSync((await roots.of(twice)).lower[0]!)).toBe(true);
  });
});

describe("an image is found", () => {
  it("by its name, its digest, and how that begins, when no other begins so", async () => {
    const [one, other] = [await image("one"), await image("other")];
    const here = { store, registries: null };
    await store.tag("one", one);
    await store.tag("deadbeef", other);
    const hex = one.slice("sha256:".length);
    for (const name of ["one", "one:latest", one, `one@${one}`, hex, hex.slice(0, 12), `sha256:${hex.slice(0, 6)}`])
      expect(await found(name, here)).toBe(one);
    expect(await found("deadbeef", here)).toBe(other);
    for (const name of ["none", "one:2", "facade", `sha256:${"0".repeat(64)}`])
      await expect(found(name, here)).rejects.toMatchObject({ reason: "missing" });
    await store.tag("docker.io/library/pulled:1", other);
    expect(await found("pulled:1", here)).toBe(other);
    const absent = found(`pulled:1@sha256:${"0".repeat(64)}`, here);
    await expect(absent).rejects.toMatchObject({ reason: "missing" });
    expect(await untag("pulled:1", here)).toEqual({ reference: "docker.io/library/pulled:1", digest: other });
    await expect(found("pulled:1", here)).rejects.toMatchObject({ reason: "missing" });
    await expect(found("No Name", here)).rejects.toMatchObject({ reason: "refused" });
  });
});
