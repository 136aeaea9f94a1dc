import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { ImageStore } from "./image-store.ts";
import { registryClient } from "./registry/client.ts";
import { type DockerRegistry, startDockerRegistry } from "./registry/testing/docker-registry.ts";
import { openImageStore } from "./store.ts";
import { archive, dir, file, inChunks } from "./testing/archive.ts";
import { builtLayerTree } from "./testing/native.ts";
import { type Operation, operate } from "./testing/operation.ts";
import { makeDirectory, removeDirectory } from "./testing/temporary.ts";

const LAYER_TREE = builtLayerTree();
const open = (path: string) => openImageStore(join(path, "store"), { layerTree: LAYER_TREE });

async function imageOf(store: ImageStore, ...texts: string[]): Promise<Digest> {
  const layers = [];
  for (const text of texts) layers.push(await store.adoptLayer(inChunks(archive(dir("d"), file(`d/${text}`, text)))));
  return store.createImage({ base: null, layers, config: {}, history: texts, created: new Date(0) });
}

/** A store with an image, garbage, an archive to be loaded and what a box wrote. */
async function prepare(path: string): Promise<void> {
  const store = await open(path);
  await store.tag("base", await imageOf(store, "a", "b"));
  const garbage = await imageOf(store, "a", "g");
  await store.tag("garbage", garbage);
  await store.rootfs(garbage);
  await store.synced();
  const other = await openImageStore(join(path, "other"), { layerTree: LAYER_TREE });
  const images = [{ digest: await imageOf(other, "l", "m"), tags: ["loaded:1"] }];
  await other.tag("loaded:1", images[0]!.digest);
  writeFileSync(join(path, "image.tar"), Buffer.concat(await Array.fromAsync(other.save(images, "docker"))));
  mkdirSync(join(path, "upper"), { mode: 0o755 });
  writeFileSync(join(path, "upper", "new"), "x");
}

const remoteOf = (path: string) => readFileSync(join(path, "remote"), "utf8");

/** Whatever was going on: the store opens, is sound to the last file, holds nothing half, and does what it was about to do. */
async function expectSound(path: string, operation: Operation): Promise<void> {
  const store = await open(path);
  await store.synced();
  expect(await store.fsck()).toMatchObject({ problems: [] });
  expect(readdirSync(join(path, "store", "tmp"))).toEqual([]);
  await operate(store, path, operation);
  await store.synced();
  const tags = [...(await store.tags()).keys()];
  const unpack = "garbage:latest";
  const expected = { load: "loaded:1", pull: remoteOf(path), unpack, commit: "committed:latest", gc: "base:latest" };
  expect(tags).toContain(expected[operation]);
  for (const digest of (await store.tags()).values()) await store.rootfs(digest);
  expect(await store.fsck({ deep: true })).toMatchObject({ problems: [] });
}

type Place = readonly [Operation, calls: string, some: readonly number[]];

/** `MAYFLY_CRASH_AT=every`: at every call that changes a file, which takes an hour; else at some of those that matter. */
const IS_EVERY = process.env.MAYFLY_CRASH_AT === "every";
const CHANGING =
  "rename unlink unlinkat mkdir mkdirat rmdir fsync fdatasync write writev pwrite64 ftruncate mknodat symlinkat linkat fchmod fchown utimensat".split(
    " ",
  );

/** System calls of Node's alone, and of layer-tree's alone (the last ones), by the number of the call that does not return. */
const PLACES: readonly Place[] = IS_EVERY
  ? (["load", "pull", "unpack", "commit", "gc"] as const).flatMap((operation) =>
      CHANGING.map((call): Place => [operation, call, []]),
    )
  : [
      ["load", "rename", [1, 4]],
      ["load", "fsync", [5]],
      ["pull", "rename", [1, 4]],
      ["pull", "fsync", [2]],
      ["unpack", "rename", [1]],
      ["unpack", "mkdirat", [1]],
      ["commit", "rename", [2, 5]],
      ["gc", "rename", [1, 3]],
      ["gc", "unlink", [2]],
      ["gc", "unlinkat", [1]],
    ];

describe("a store whose process is killed", () => {
  let prepared: string;
  let registry: DockerRegistry;
  beforeAll(async () => {
    prepared = makeDirectory("memory");
    await prepare(prepared);
    registry = await startDockerRegistry();
    const remote = `${registry.host}/pulled:1`;
    const other = await openImageStore(join(prepared, "other"), { layerTree: LAYER_TREE });
    await registryClient({ store: other }).push("loaded:1", remote);
    writeFileSync(join(prepared, "remote"), remote);
  });
  afterAll(async () => {
    await registry.close();
    removeDirectory(prepared);
  });

  /** Runs it in a copy of what was prepared, under strace. */
  function traced(operation: Operation, ...args: string[]): { path: string; isDone: boolean } {
    const path = makeDirectory("memory");
    onTestFinished(() => removeDirectory(path));
    execFileSync("cp", ["-a", `${prepared}/.`, path]);
    const program = join(import.meta.dirname, "testing/operation.ts");
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", program, path, LAYER_TREE, operation];
    // One thread, so that its calls are counted together.
    const env = { PATH: process.env.PATH, UV_THREADPOOL_SIZE: "1" };
    return { path, isDone: spawnSync("strace", ["-f", ...args, ...node], { env }).status === 0 };
  }

  /** 1 and up, to as many of these calls as one thread of it makes. */
  function everyOne(operation: Operation, calls: string): number[] {
    const log = join(prepared, `calls-${operation}`);
    expect(traced(operation, "-qq", "-e", `trace=${calls}`, "-e", "signal=none", "-o", log).isDone).toBe(true);
    const counts = new Map<string, number>();
    for (const line of readFileSync(log, "utf8").split("\n")) {
      const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
      if (thread) counts.set(`${thread} ${call}`, (counts.get(`${thread} ${call}`) ?? 0) + 1);
    }
    return Array.from({ length: Math.max(0, ...counts.values()) }, (_, at) => at + 1);
  }

  it.each(PLACES)("in %s at %s is sound, and goes on", { timeout: IS_EVERY ? 3_600_000 : 60_000 }, async (...place) => {
    const [operation, calls, some] = place;
    for (const number of IS_EVERY ? everyOne(operation, calls) : some) {
      const inject = `inject=${calls}:signal=SIGKILL:when=${number}`;
      const { path, isDone } = traced(operation, "-e", `trace=${calls}`, "-e", inject, "-o", "/dev/null");
      // A thread may make fewer of them than another has made.
      if (!IS_EVERY) expect([number, isDone]).toEqual([number, false]);
      await expectSound(path, operation);
    }
  });
});

describe("a store on a disk", () => {
  /** A small file system of its own, in memory or in a file, that goes with the test. */
  function mounted(type: "tmpfs" | "ext4", mib: number): { path: string; remount: () => void } {
    const dir = makeDirectory("memory");
    const path = join(dir, "mnt");
    mkdirSync(path);
    const disk = join(dir, "disk");
    const mount = () =>
      type === "ext4"
        ? execFileSync("mount", ["-o", "loop", disk, path])
        : execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", path]);
    if (type === "ext4") {
      execFileSync("truncate", ["-s", `${mib}M`, disk]);
      execFileSync("mkfs.ext4", ["-q", "-F", disk]);
    }
    mount();
    const umount = () => execFileSync("umount", [path]);
    onTestFinished(() => {
      umount();
      removeDirectory(dir);
    });
    return {
      path,
      remount: () => {
        umount();
        mount();
      },
    };
  }

  it("whose power is cut has all that it said it had, and makes again what was not written", async () => {
    const { path, remount } = mounted("ext4", 64);
    const shutdown = join(path, "../shutdown");
    execFileSync("gcc", ["-o", shutdown, join(import.meta.dirname, "testing/shutdown.c")]);
    await prepare(path);
    const store = await open(path);
    await store.rootfs((await store.resolve("garbage")) as Digest);
    await store.synced();
    await operate(store, path, "commit");
    await store.rootfs((await store.resolve("committed")) as Digest);
    execFileSync(shutdown, [path]);
    // From here on nothing reaches the disk.
    expect(() => writeFileSync(join(path, "control"), "late")).toThrow(/EIO|ESHUTDOWN|EROFS/);
    await store.synced();
    remount();
    // A cut power is another run of the kernel.
    for (const name of readdirSync(join(path, "store/snapshots"))) {
      const meta = join(path, "store/snapshots", name, "meta.json");
      const text = readFileSync(meta, "utf8");
      if (text.includes('"durable": false')) writeFileSync(meta, text.replace(/"boot": "[^"]*"/, '"boot": "before"'));
    }
    const later = await open(path);
    expect([...(await later.tags()).keys()]).toEqual(["base:latest", "committed:latest", "garbage:latest"]);
    expect(await later.fsck({ deep: true })).toMatchObject({ problems: [] });
    for (const digest of (await later.tags()).values()) await later.rootfs(digest);
    expect(await later.fsck({ deep: true })).toMatchObject({ problems: [], snapshots: 4 });
    await later.synced();
  });

  it("that is full says so, leaves nothing behind, and goes on when there is room", async () => {
    const { path } = mounted("tmpfs", 8);
    const store = await openImageStore(join(path, "store"), { layerTree: LAYER_TREE });
    const small = await imageOf(store, "a");
    const large = archive(file("large", "", { content: Buffer.alloc(20 << 20, "x") }));
    await expect(store.adoptLayer(inChunks(large))).rejects.toMatchObject({ reason: "no_space" });
    // Packed it fits, unpacked it does not.
    const { gzipSync } = await import("node:zlib");
    const layer = await store.adoptLayer(inChunks(gzipSync(large)));
    const image = await store.createImage({
      base: null,
      layers: [layer],
      config: {},
      history: ["x"],
      created: new Date(0),
    });
    await expect(store.rootfs(image)).rejects.toMatchObject({
      reason: "no_space",
      message: expect.stringContaining('"large"'),
    });
    expect(readdirSync(join(path, "store/tmp"))).toEqual([]);
    expect(readdirSync(join(path, "store/snapshots"))).toEqual([]);
    expect((await store.rootfs(small)).lower).toHaveLength(1);
    await store.synced();
  });
});

describe("a damaged store", () => {
  it("is told of, and mended where that can be: blobs in quarantine, snapshots made again", async () => {
    const path = makeDirectory("memory");
    onTestFinished(() => removeDirectory(path));
    await prepare(path);
    const store = await open(path);
    const { lower } = await store.rootfs((await store.resolve("garbage")) as Digest);
    writeFileSync(join(lower[0]!, "d", "g"), "G");
    const { manifest } = await store.image((await store.resolve("base")) as Digest);
    const damaged = manifest.layers[1]!.digest;
    writeFileSync(join(path, "store/blobs/sha256", damaged.slice(7)), "x");
    const shallow = await store.fsck();
    expect(shallow.problems).toEqual([expect.stringContaining(damaged)]);
    const deep = await store.fsck({ deep: true });
    expect(deep.problems).toHaveLength(2);
    expect(deep.mended).toEqual([]);
    const mending = await store.fsck({ deep: true, mend: true });
    expect(mending.mended).toEqual([expect.stringContaining("in quarantine"), expect.stringContaining("made again")]);
    expect(readdirSync(join(path, "store/blobs/quarantine"))).toEqual([damaged.slice(7)]);
    const after = await store.fsck({ deep: true, mend: true });
    expect(after.problems).toEqual([expect.stringMatching(/^the tag base:latest: .* lacks its part/)]);
    const again = await store.rootfs((await store.resolve("garbage")) as Digest);
    expect(readFileSync(join(again.lower[0]!, "d", "g"), "utf8")).toBe("g");
    await store.synced();
  });
});
