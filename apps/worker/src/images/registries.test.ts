import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest, ImageTask } from "@mayfly/contract";
import {
  type DockerRegistry,
  type ImageStore,
  imageImporter,
  openImageStore,
  registryClient,
  startDockerRegistry,
} from "@mayfly/image";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hereOrPulled, type Wanted } from "../build/here-or-pulled.ts";
import { found } from "./names.ts";
import { type Moving, pull, resolve } from "./registries.ts";

/** As `npm test` builds it. */
const NATIVE = join(import.meta.dirname, "../../../../build/native");
const COURIER = { cage: join(NATIVE, "courier-cage"), program: join(NATIVE, "courier.mjs") };
/** Nobody listens there. */
const AWAY = "127.0.0.1:1";

let dir: string;
let one: DockerRegistry;
let other: DockerRegistry;
let store: ImageStore;
const open = () => openImageStore(join(dir, crypto.randomUUID()), { layerTree: join(NATIVE, "layer-tree") });

async function image(of: ImageStore, name: string): Promise<Digest> {
  const content = Buffer.from(name);
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtime_s: 0, size_bytes: content.byteLength, content };
  const layers = [await of.addLayer([{ type: "file", path: "name", ...attributes }], { compression: "none" })];
  return of.createImage({ base: null, layers, config: {}, history: [name], created: new Date(0) });
}

/** By what they were pushed as. */
const pushed = new Map<string, Digest>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "mayfly-registries-"));
  [one, other] = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
  const theirs = await open();
  const client = registryClient({ store: theirs });
  for (const place of [`${one.host}/team/both:1`, `${other.host}/both:1`, `${other.host}/second:1`]) {
    const digest = await image(theirs, place);
    await client.push(digest, place);
    pushed.set(place, digest);
  }
});
beforeEach(async () => {
  store = await open();
});
afterAll(async () => {
  await Promise.all([one?.close(), other?.close()]);
  await rm(dir, { recursive: true, force: true });
});

const parts = (registries: readonly string[] | null): Moving => ({
  ...{ store, registries, courier: COURIER, signal: new AbortController().signal, onProgress: () => {} },
  importer: imageImporter({ blobs: store.blobs, most_bytes: 2 ** 30 }),
});
const toPull = (reference: string, besides = {}): Extract<ImageTask, { verb: "pull" }> => ({
  ...{ verb: "pull", reference, platform: null, credential: null, insecure: false },
  ...besides,
});
const wanted = (reference: string, besides: Partial<Wanted> = {}): Wanted => ({
  ...{ reference, platform: null, anew: false },
  ...besides,
});
const toResolve = (reference: string) => ({ verb: "resolve", reference }) as const;
const both = () => [`${one.host}/team`, other.host];

describe("a name without a registry's host", () => {
  it("is pulled from the first of the operator's registries that has it, and known by its short name", async () => {
    const first = await pull(toPull("both:1"), parts(both()));
    const place = `${one.host}/team/both:1`;
    expect(first).toEqual({ reference: place, digest: pushed.get(place) });
    const turned = await pull(toPull("both:1"), parts(both().reverse()));
    expect(turned).toEqual({ reference: `${other.host}/both:1`, digest: pushed.get(`${other.host}/both:1`) });
    const second = await pull(toPull("second:1"), parts(both()));
    expect(second.reference).toBe(`${other.host}/second:1`);
    expect([...(await store.tags()).keys()].sort()).toEqual(
      [place, `${other.host}/both:1`, `${other.host}/second:1`].sort(),
    );
    for (const [registries, digest] of [
      [both(), first.digest],
      [both().reverse(), turned.digest],
    ] as const) {
      expect(await found("both:1", { store, registries })).toBe(digest);
    }
    await expect(found("both:1", { store, registries: null })).rejects.toMatchObject({ reason: "missing" });
  });

  it("stands for what is here before any registry is asked, in deploys and in FROM", async () => {
    const digest = await image(store, "here");
    await store.tag("both:1", digest);
    expect(await resolve(toResolve("both:1"), parts(both()))).toEqual({ reference: "both:1", digest });
    expect(await hereOrPulled(wanted("both:1"), parts(both()))).toBe(digest);
    await store.untag("both:1");
    const there = { reference: `${one.host}/team/both:1`, digest: pushed.get(`${one.host}/team/both:1`) };
    expect(await resolve(toResolve("both:1"), parts(both()))).toEqual(there);
    expect(await hereOrPulled(wanted("both:1"), parts(both()))).toBe(there.digest);
  });

  it("is asked for anew where that is wanted, and what is of no registry taken as it is", async () => {
    const digest = await image(store, "here");
    for (const tag of ["both:1", "none:1"]) await store.tag(tag, digest);
    const anew = (reference: string) => hereOrPulled(wanted(reference, { anew: true }), parts(both()));
    expect(await anew("both:1")).toBe(pushed.get(`${one.host}/team/both:1`));
    expect(await found("both:1", { store, registries: both() })).toBe(digest);
    await expect(anew("none:1")).rejects.toThrow(/it was to be pulled, whether it is here or not, and .*404/);
    expect(await anew(digest)).toBe(digest);
  });

  it("that is here for another platform than is asked for is refused, and no tag is moved", async () => {
    const digest = await image(store, "here");
    await store.tag("both:1", digest);
    const { os, architecture } = (await store.image(digest)).config;
    const forPlatform = (platform: string) => hereOrPulled(wanted("both:1", { platform }), parts(both()));
    expect(await forPlatform(`${os}/${architecture}`)).toBe(digest);
    await expect(forPlatform("linux/riscv64")).rejects.toThrow(
      `it is here for ${os}/${architecture}, and linux/riscv64 is asked for`,
    );
    expect([...(await store.tags())]).toEqual([["both:1", digest]]);
  });

  it("that no registry has is told with each that was asked, and what it said", async () => {
    const asked = pull(toPull("none:1"), parts(both()));
    await expect(asked).rejects.toMatchObject({ reason: "missing" });
    const said = (place: string) => `looking for ${place}/none:1: ${place.split("/")[0]} answered GET .* with 404`;
    const message = new RegExp(
      `there is no image none:1 here.*\\(1\\) ${said(both()[0]!)}.*\\(2\\) ${said(both()[1]!)}`,
    );
    await expect(asked).rejects.toThrow(message);
    await expect(resolve(toResolve("none:1"), parts(both()))).rejects.toThrow(message);
    await expect(hereOrPulled(wanted("none:1"), parts(both()))).rejects.toThrow(message);
  });

  it("is looked for at the next one when one is away, which is told when none has it", async () => {
    const registries = [AWAY, other.host];
    expect((await pull(toPull("second:1"), parts(registries))).reference).toBe(`${other.host}/second:1`);
    const asked = pull(toPull("none:1"), parts(registries));
    await expect(asked).rejects.toMatchObject({ reason: "unavailable" });
    await expect(asked).rejects.toThrow(/\(1\) .*127\.0\.0\.1:1.*\(2\) .*404/);
  });

  it("goes with no credential to several registries, and with one to a single one", async () => {
    const credential = { username: "me", password: "secret" };
    for (const besides of [{ credential }, { insecure: true }]) {
      const asked = pull(toPull("both:1", besides), parts(both()));
      await expect(asked).rejects.toThrow(`name it, ${one.host}/team/both:1`);
    }
    const single = await pull(toPull("second:1", { credential }), parts([other.host]));
    expect(single.reference).toBe(`${other.host}/second:1`);
  });

  it("is looked for nowhere by a deploy when the operator says nothing, and by nobody below mayfly/ or as an id", async () => {
    await expect(resolve(toResolve("second:1"), parts(null))).rejects.toThrow("there is no image second:1 here");
    for (const registries of [null, both()]) {
      for (const name of ["mayfly/app:1", `sha256:${"0".repeat(64)}`]) {
        const nowhere = { reason: "missing", message: `there is no image ${name} here` };
        await expect(pull(toPull(name), parts(registries))).rejects.toMatchObject(nowhere);
        await expect(resolve(toResolve(name), parts(registries))).rejects.toMatchObject(nowhere);
      }
    }
  });
});
