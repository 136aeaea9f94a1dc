import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { type BuildRecord, DEFAULT_SETTINGS, type Digest, NO_BUILD_OPTIONS, type Settings } from "@mayfly/contract";
import { type ImageStore, openImageStore } from "@mayfly/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuildDockerfileInput, buildDockerfileSource, tarHoldsDockerfile } from "./build-dockerfile.ts";
import { DirectoryCache } from "./dockerfile/execute/directory-cache.ts";
import { BuildStopped } from "./fault.ts";
import { tarOf } from "./testing/archives.ts";
import { ChildBoxes } from "./testing/child-boxes.ts";

interface Given {
  readonly signal?: AbortSignal;
  /** Whose it is; null: nobody's. */
  readonly name?: string | null;
}

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../../build/native/layer-tree");

const CREATED = new Date(0);
const HELLO = "export default () => new Response('hello')";

let dir: string;
let store: ImageStore;
let base: Digest;
let boxes: ChildBoxes;
let cache: DirectoryCache;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "mayfly-build-dockerfile-"));
  store = await openImageStore(join(dir, "images"), { layerTree: LAYER_TREE });
  cache = await DirectoryCache.open(join(dir, "cache"));
  const mayfly = { type: "directory", path: "mayfly", mode: 0o755, uid: 0, gid: 0, mtime_s: 0 } as const;
  const layer = await store.addLayer([mayfly], { compression: "gzip" });
  base = await store.createImage({ base: null, layers: [layer], config: {}, history: ["test"], created: CREATED });
  boxes = new ChildBoxes(() => store);
  await boxes.bundlePrograms();
});
afterAll(async () => {
  expect(boxes.living).toBe(0);
  boxes.close();
  await rm(dir, { recursive: true, force: true });
});

const layerOf = (n: number) => `sha256:${String(n).repeat(64)}` as Digest;

/** What starts servers is the worker's (test/e2e). */
const noServer = async () => {
  throw new Error("no image of these tests is a server");
};

async function build(
  kind: "alone" | "context",
  source: string | Buffer,
  { signal = new AbortController().signal, name = "fn", ...settings }: Partial<Settings> & Given = {},
) {
  const records: BuildRecord[] = [];
  const input: BuildDockerfileInput = {
    job: { function: name as never, settings: { ...DEFAULT_SETTINGS, ...settings }, options: NO_BUILD_OPTIONS },
    source: {
      kind,
      open: async function* () {
        yield Buffer.from(source);
      },
    },
    resolveImage: async (reference, _, onProgress) => {
      for (const digest of reference === "far/node:24" ? [layerOf(1), layerOf(2)] : [])
        for (const state of ["moving", "done"] as const)
          onProgress({ digest, size_bytes: 1024, done_bytes: state === "done" ? 1024 : 1, state });
      if (!reference.endsWith("/node:24")) throw new Error("not found");
      return base;
    },
    secrets: new Map(),
    run: async () => {
      throw new BuildStopped({ code: "build_failed", message: "RUN is not possible here" });
    },
    onRecord: (record) => records.push(record),
    now: () => CREATED,
    ...{ builder: base, scratch: join(dir, "scratch") },
    ...{ store, base, cache, openBox: boxes.open, tryServer: noServer, signal },
  };
  const built = await buildDockerfileSource(input);
  return { ...built, steps: records.map(({ step, status, msg }) => [step, status, msg].join(" ").trim()) };
}

const refusal = async (kind: "alone" | "context", source: string | Buffer) => {
  const { outcome, steps } = await build(kind, source);
  return { error: outcome.status === "error" ? outcome.error : outcome, steps };
};

describe("a Dockerfile that goes on from mayfly/node becomes a version", () => {
  const ALONE = `FROM mayfly/node:24\nCOPY <<index.mjs /app/\n${HELLO}\nindex.mjs\n`;

  it("alone, with what it needs written into it", async () => {
    const { outcome, steps } = await build("alone", ALONE);
    expect(outcome).toMatchObject({ status: "done", contract: "fetch" });
    expect(steps.filter((step) => !step.startsWith("detect"))).toEqual([
      "context start",
      "context done",
      "#1 start [2/2] COPY <<index.mjs /app/",
      "#1 done",
      "check start",
      "check done 2 layers",
    ]);
  });

  it("and tells what comes of an image that is not here", async () => {
    const { steps } = await build("alone", ALONE.replace("mayfly/node", "far/node"));
    expect(steps.filter((step) => step.startsWith("pull"))).toEqual([
      "pull start far/node:24",
      `pull log ${layerOf(1)} 1 KiB`,
      `pull log ${layerOf(2)} 1 KiB`,
      "pull done 2 blobs, 2 KiB",
    ]);
  });

  it("again: of the cache", async () => {
    await build("alone", ALONE);
    expect((await build("alone", ALONE)).steps).toContain("#1 done CACHED");
  });

  it.each([
    ["a tar", (tar: Buffer) => tar],
    ["a packed tar", (tar: Buffer) => gzipSync(tar)],
  ])("at the root of %s, with the files beside it", async (_, packed) => {
    const tar = await tarOf([
      ["Dockerfile", "FROM mayfly/node:24 AS a\nCOPY src /app/\nFROM a\nENV A=1"],
      ["src/index.mjs", HELLO],
    ]);
    const { outcome } = await build("context", packed(tar));
    if (outcome.status !== "done") throw new Error(JSON.stringify(outcome));
    const { config } = (await store.image(outcome.image)).config;
    expect(config?.Env).toContain("A=1");
  });

  it("of no function becomes an image with the labels that were asked for, whatever is in it; twice the same with SOURCE_DATE_EPOCH", async () => {
    const text = "FROM scratch\nLABEL a=1 b=2\n";
    const settings = { name: null, label: { b: "3" }, build_arg: { SOURCE_DATE_EPOCH: "1700000000" } };
    const { outcome } = await build("alone", text, settings);
    if (outcome.status !== "image") throw new Error(JSON.stringify(outcome));
    const { config } = await store.image(outcome.image);
    expect([config.config.Labels, config.created]).toEqual([{ a: "1", b: "3" }, "2023-11-14T22:13:20Z"]);
    expect((await build("alone", text, settings)).outcome).toEqual(outcome);
    const wrong = await build("alone", text, { ...settings, build_arg: { SOURCE_DATE_EPOCH: "yesterday" } });
    expect(wrong.outcome).toMatchObject({ error: { message: expect.stringContaining("=yesterday is no number") } });
  });

  it("where the settings say, up to the stage and with the arguments that they name", async () => {
    const tar = await tarOf([
      ["docker/Dockerfile", "FROM mayfly/node:24 AS a\nARG B\nCOPY src /app/\nENV A=$B\nFROM scratch"],
      ["src/index.mjs", HELLO],
    ]);
    const settings = { dockerfile: "docker/Dockerfile", target: "a", build_arg: { B: "b" } };
    const { outcome } = await build("context", tar, settings);
    if (outcome.status !== "done") throw new Error(JSON.stringify(outcome));
    expect((await store.image(outcome.image)).config.config?.Env).toContain("A=b");
  });

  it("with its warnings in the log", async () => {
    const { steps } = await build("alone", `from mayfly/node:24\n${ALONE.split("\n").slice(1).join("\n")}`);
    expect(steps.find((step) => step.startsWith("warning"))).toMatch(/ConsistentInstructionCasing: .*\(line 1\)$/);
  });
});

describe("what is wrong is told to who deployed it", () => {
  it("with the line and what is written there", async () => {
    const { error } = await refusal("alone", "FROM mayfly/node:24\nCOPPY a b\n");
    expect(error).toMatchObject({
      code: "build_failed",
      message: expect.stringContaining("unknown instruction: COPPY (did you mean COPY?)"),
      locations: [{ file: "Dockerfile", line: 2, excerpt: expect.stringContaining(">>> COPPY a b") }],
    });
  });

  it.each<[string, "alone" | "context", string, string]>([
    ["a file that is nowhere", "alone", "FROM mayfly/node:24\nCOPY a /app/", '"/a": not found'],
    ["a base that is not here", "alone", "FROM debian", "debian"],
    ["a program, where none can run", "alone", "FROM mayfly/node:24\nRUN true", "RUN is not possible here"],
    ["an image of another base", "alone", "FROM scratch\nCOPY <<a /\na", "the image has no ENTRYPOINT and no CMD"],
    ["an empty Dockerfile", "alone", "# nothing", "no instructions"],
    ["a context that is no tar", "context", "FROM debian", "reading a tar"],
  ])("%s", async (_, kind, source, message) => {
    const { error } = await refusal(kind, source);
    expect(error).toMatchObject({ code: expect.stringMatching(/build_failed|handler_not_found/) });
    expect((error as { message: string }).message).toContain(message);
  });

  it("that it was cancelled", async () => {
    const { outcome } = await build("alone", "FROM mayfly/node:24\nCOPY <<a /\na", { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ status: "error", error: { message: "the build was cancelled" } });
  });
});

describe("a tar is the context of a Dockerfile", () => {
  it.each([
    ["with one at its root", "Dockerfile", true],
    ["written ./Dockerfile", "./Dockerfile", true],
    ["not with one further below", "app/Dockerfile", false],
    ["not with a name like it", "dockerfile", false],
  ])("%s", async (_, name, expected) => {
    const tar = await tarOf([[name, "FROM scratch"]]);
    expect(await tarHoldsDockerfile(Readable.from([tar]))).toBe(expected);
  });

  it("not when it is no tar", async () => {
    expect(await tarHoldsDockerfile(Readable.from([Buffer.alloc(2000, "x")]))).toBe(false);
  });
});
