import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BUILD_LIMITS, builderCommand } from "@mayfly/build";
import { type BoxHost, openBoxHost } from "@mayfly/container";
import { FRAME } from "@mayfly/contract";
import { openImageStore } from "@mayfly/image";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { BUILDER_IMAGE } from "../../apps/worker/src/build/build.ts";
import { type BoxDeps, discard, type StandingBox, type Wish } from "../../apps/worker/src/build/standing-box.ts";
import { BuildSurroundings } from "../../apps/worker/src/build/surroundings.ts";
import { WaitingBox } from "../../apps/worker/src/build/waiting-box.ts";
import { InUse } from "../../apps/worker/src/images/in-use.ts";
import { Roots } from "../../apps/worker/src/images/roots.ts";
import { NurseryKeeper } from "../../apps/worker/src/nursery/keeper.ts";
import { BUILD } from "../../infra/src/root.ts";
import { copyBaseImages } from "./base-images.ts";

const NATIVE = join(BUILD, "native");
const instance = `waiting-${randomUUID().slice(0, 8)}`;
/** Long enough for no test to come to its end. */
const LONG_MS = 600_000;

let home: string;
let boxes: BoxHost;
let deps: BoxDeps & { readonly log: pino.Logger; readonly inUse: InUse };
let wish: Wish;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "mayfly-waiting-"));
  await copyBaseImages(home);
  mkdirSync(join(home, "boxes"), { mode: 0o700 });
  boxes = await openBoxHost({
    instance,
    launcher: join(NATIVE, "launcher"),
    addon: join(NATIVE, "native.node"),
    runDir: join(home, "boxes"),
  });
  const store = await openImageStore(join(home, "images"), { layerTree: join(NATIVE, "layer-tree") });
  const log = pino({ level: "silent" });
  deps = {
    boxes,
    log,
    roots: new Roots(store),
    inUse: new InUse(),
    nursery: new NurseryKeeper({ boxes, native: NATIVE, log }),
    surroundings: await BuildSurroundings.open(join(home, "ca"), {}, null),
  };
  wish = {
    image: (await store.resolve(BUILDER_IMAGE))!,
    start: "ahead",
    args: builderCommand(),
    env: ["PATH=/usr/local/bin", "MAYFLY_WORK=/tmp", "ESBUILD_BINARY_PATH=/usr/local/bin/esbuild"],
    limits: BUILD_LIMITS,
    timeout_ms: 20_000,
  };
}, 300_000);
afterAll(async () => {
  await boxes?.close();
  rmSync(home, { recursive: true, force: true });
});

let waiting: WaitingBox;
const open = (idleMs = LONG_MS) => {
  waiting = new WaitingBox({ deps: () => deps, idleMs });
};
afterEach(async () => {
  await waiting.close();
  expect([groups(), deps.inUse.images()]).toEqual([[], []]);
});

/** Names of boxes that wait or were taken. */
function groups(): string[] {
  try {
    const all = readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" });
    const found = all.flatMap((path) => new RegExp(`mayfly/${instance}/(builder_[0-9a-f]{32})$`).exec(path)?.[1] ?? []);
    return [...new Set(found)];
  } catch {
    return groups(); // A group of somebody else's went while we looked.
  }
}

/** Asks for a box, which leaves one behind that waits. */
async function taken(): Promise<StandingBox | null> {
  const box = await waiting.take(wish);
  await vi.waitFor(() => expect(groups()).toHaveLength(box === null ? 1 : 2), { timeout: 10_000, interval: 10 });
  return box;
}

/** Processes of a box, by its name. */
const processesOf = (group: string): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && textOf(`/proc/${name}/cgroup`).includes(group))
    .map(Number);

/** How often processes were given a core. */
const turnsOf = (pids: readonly number[]): string[] =>
  pids.flatMap((pid) => textOf(`/proc/${pid}/status`).match(/ctxt_switches:\s+\d+/g) ?? []);

/** Empty when it is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

describe("the box that waits for the next build", () => {
  it("has its program up, has seen no source, and is another one for each build", async () => {
    open();
    expect(await taken()).toBeNull();
    const seen = new Set<string>();
    for (let turn = 0; turn < 3; turn += 1) {
      const standing = (await taken())!;
      expect(standing.first?.type).toBe(FRAME.RECORD);
      expect(Buffer.from(standing.first!.payload).toString()).toContain('"box"');
      seen.add(standing.box.id);
      await discard(standing, "the test has seen it");
    }
    expect(seen.size).toBe(3);
  });

  it("is one build's when two ask at once", async () => {
    open();
    await taken();
    const both = await Promise.all([waiting.take(wish), waiting.take(wish)]);
    expect(both.filter((box) => box !== null)).toHaveLength(1);
    await discard(both.find((box) => box !== null)!, "the test has seen it");
  });

  it("is frozen while it waits, and runs when it is taken", async () => {
    open();
    await taken();
    await sleep(1_000);
    const pids = processesOf(groups()[0]!);
    const before = turnsOf(pids);
    await sleep(2_500);
    expect([pids.length > 2, turnsOf(pids)]).toEqual([true, before]);
    const standing = (await taken())!;
    // esbuild says each second that it is there.
    await vi.waitFor(() => expect(turnsOf(pids)).not.toEqual(before), { timeout: 10_000 });
    await discard(standing, "the test has seen it");
  });

  it("is gone when no build came for a while, and comes back with the next", async () => {
    open(700);
    await taken();
    await vi.waitFor(() => expect(groups()).toEqual([]), { timeout: 10_000, interval: 50 });
    expect(deps.inUse.images()).toEqual([]);
    expect(await taken()).toBeNull();
  });

  it("is gone when the worker stops, also when it is just being made", async () => {
    open();
    await waiting.take(wish);
    await vi.waitFor(() => expect(groups()).toHaveLength(1), { timeout: 10_000, interval: 1 });
    await waiting.close();
    expect(groups()).toEqual([]);
    expect(await waiting.take(wish)).toBeNull();
    await sleep(100);
    expect(groups()).toEqual([]);
  });

  it("is nobody's who wants another one", async () => {
    open();
    await taken();
    const [before] = groups();
    expect(await waiting.take({ ...wish, env: [...wish.env, "A=1"] })).toBeNull();
    await vi.waitFor(() => expect(groups()).not.toContain(before), { timeout: 10_000, interval: 10 });
  });

  it("is not handed out when it did not come up in its time", async () => {
    open();
    const silent = { ...wish, args: [wish.args[0]!, "-e", "setInterval(() => {}, 1000)"], timeout_ms: 1_500 };
    await waiting.take(silent);
    await vi.waitFor(() => expect(groups()).toHaveLength(1), { timeout: 10_000, interval: 10 });
    await vi.waitFor(() => expect(groups()).toEqual([]), { timeout: 10_000, interval: 10 });
    expect(await waiting.take(silent)).toBeNull();
  });

  it("is not made where no box may wait", async () => {
    open(0);
    expect(await waiting.take(wish)).toBeNull();
    await sleep(200);
    expect(groups()).toEqual([]);
  });
});
