import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuildRecord, DEFAULT_SETTINGS, type Digest, NO_BUILD_OPTIONS } from "@mayfly/contract";
import { ImageError, type ImageStore, type LayerEntry, openImageStore } from "@mayfly/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "./build-image.ts";
import { ChildBoxes } from "./testing/child-boxes.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../../build/native/layer-tree");

const CREATED = new Date(0);
const ATTRIBUTES = { mode: 0o755, uid: 0, gid: 0, mtime_s: 0 };
const HELLO = "export default () => new Response('hello')";

let dir: string;
let store: ImageStore;
let base: Digest;
let boxes: ChildBoxes;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "mayfly-build-image-"));
  store = await openImageStore(dir, { layerTree: LAYER_TREE });
  base = await imageOf(null, [{ type: "directory", path: "mayfly", ...ATTRIBUTES }]);
  boxes = new ChildBoxes(() => store);
  await boxes.bundlePrograms();
});
afterAll(async () => {
  expect(boxes.living).toBe(0);
  boxes.close();
  await rm(dir, { recursive: true, force: true });
});

async function imageOf(under: Digest | null, entries: LayerEntry[]): Promise<Digest> {
  const layer = await store.addLayer(entries, { compression: "gzip" });
  return store.createImage({ base: under, layers: [layer], config: {}, history: ["test"], created: CREATED });
}

function withModule(under: Digest | null, source: string): Promise<Digest> {
  const content = Buffer.from(source);
  return imageOf(under, [
    { type: "directory", path: "app", ...ATTRIBUTES },
    { type: "file", path: "app/index.mjs", ...ATTRIBUTES, size_bytes: content.byteLength, content },
  ]);
}

/** What starts servers is the worker's (test/e2e). */
const noServer = async () => {
  throw new Error("no image of these tests is a server");
};

async function build(fetch: () => Promise<Digest>, signal = new AbortController().signal) {
  const records: BuildRecord[] = [];
  const built = await buildImage({
    ...{
      job: { function: "fn" as never, settings: DEFAULT_SETTINGS, options: NO_BUILD_OPTIONS },
      store,
      base,
      openBox: boxes.open,
      tryServer: noServer,
      signal,
    },
    fetch: async (onProgress) => {
      onProgress({ digest: base, size_bytes: 2048, done_bytes: 2048, state: "done" });
      return fetch();
    },
    onRecord: (record) => records.push(record),
    now: () => CREATED,
  });
  return { ...built, steps: records.map(({ step, status, msg }) => [step, status, msg].join(" ").trim()) };
}

async function failure(fetch: () => Promise<Digest>, signal?: AbortSignal) {
  const { outcome, steps } = await build(fetch, signal);
  if (outcome.status !== "error") throw new Error("the build succeeded");
  expect(steps.at(-1)).toBe("build error");
  return outcome.error;
}

describe("an image becomes a version", () => {
  it("when it goes on from the base and has a module with a handler", async () => {
    const image = await withModule(base, HELLO);
    const { outcome, usage, steps } = await build(async () => image);
    expect(outcome).toMatchObject({ status: "done", image, contract: "fetch", exports: ["default (function)"] });
    expect(usage?.cpu_us).toBeGreaterThan(0);
    expect(steps).toEqual([
      "fetch start",
      `fetch log ${base} 2 KiB`,
      "fetch done 1 blobs, 2 KiB",
      "check start",
      "check done 2 layers",
      "detect start",
      "detect done contract fetch",
    ]);
  });

  it("not when it goes on from nothing, or from another image", async () => {
    const other = await imageOf(null, [{ type: "directory", path: "other", ...ATTRIBUTES }]);
    for (const under of [null, other]) {
      const image = await withModule(under, HELLO);
      expect(await failure(async () => image)).toMatchObject({
        code: "handler_not_found",
        hint: expect.stringContaining("give it a CMD that serves HTTP"),
      });
    }
  });

  it("not when its module has no handler, or throws", async () => {
    const none = await withModule(base, "export const answer = 42;");
    expect(await failure(async () => none)).toMatchObject({ code: "handler_not_found", exports: ["answer"] });
    const thrower = await withModule(base, "throw new Error('at load');");
    expect(await failure(async () => thrower)).toMatchObject({
      ...{ code: "build_failed", message: expect.stringContaining("at load") },
    });
  });

  it("not when it is for another machine", async () => {
    const { manifest, config } = await store.image(await withModule(base, HELLO));
    const foreign = await rewritten(manifest, { ...config, architecture: "s390x" });
    expect((await failure(async () => foreign)).message).toMatch(/is for linux\/s390x; this machine is linux\/amd64/);
  });

  it("not when a layer is not what its config says, and then nothing of it is unpacked", async () => {
    const { manifest, config } = await store.image(await withModule(base, `${HELLO} // another`));
    const { diff_ids } = config.rootfs;
    const wrong = [diff_ids[0]!, `sha256:${"0".repeat(64)}`];
    const lying = await rewritten(manifest, { ...config, rootfs: { type: "layers", diff_ids: wrong } });
    const before = (await store.fsck()).snapshots;
    expect(await failure(async () => lying)).toMatchObject({ code: "build_failed" });
    expect((await store.fsck()).snapshots).toBe(before);
  });

  it("not when it cannot be fetched: told to its owner when it is theirs, thrown when it is ours", async () => {
    const missing = () => Promise.reject(new ImageError("missing", "it was deleted"));
    expect(await failure(missing)).toEqual({ code: "build_failed", message: "it was deleted" });
    const full = () => Promise.reject(new ImageError("no_space", "the disk is full"));
    await expect(build(full)).rejects.toThrow("the disk is full");
  });

  it("not when it is cancelled, wherever it is then", async () => {
    const stop = new AbortController();
    const cancelled = { code: "build_failed", message: "the build was cancelled" };
    const fetch = async () => {
      stop.abort();
      throw stop.signal.reason;
    };
    expect(await failure(fetch, stop.signal)).toEqual(cancelled);
    const endless = await withModule(base, "await new Promise((resolve) => setTimeout(resolve, 60_000));");
    const later = new AbortController();
    setTimeout(() => later.abort(), 300);
    expect(await failure(async () => endless, later.signal)).toEqual(cancelled);
  });
});

/** The same layers under another config. */
async function rewritten(manifest: object, config: object): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify(config));
  const { digest } = await store.blobs.put(bytes);
  const described = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: bytes.byteLength };
  return (await store.blobs.put(Buffer.from(JSON.stringify({ ...manifest, config: described })))).digest;
}
