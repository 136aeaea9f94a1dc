import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import {
  type BuildRecord,
  BuildResult,
  DEFAULT_SETTINGS,
  type Digest,
  newBuildId,
  type Settings,
  type SourceKind,
} from "@mayfly/contract";
import { type ImageStore, openImageStore } from "@mayfly/image";
import { RUNNER_PATH } from "@mayfly/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { BUILDER_PATH, buildCode } from "./build-code.ts";
import { tarOf, zipOf } from "./testing/archives.ts";
import { ChildBoxes } from "./testing/child-boxes.ts";

let dir: string;
let store: ImageStore;
let base: Digest;
let boxes: ChildBoxes;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "mayfly-build-store-"));
  store = await openImageStore(dir);
  const layer = await store.addLayer([{ type: "directory", path: "app", mode: 0o755, uid: 0, gid: 0, mtime_s: 0 }], {
    compression: "none",
  });
  const created = new Date(0);
  const config = { Env: ["PATH=/usr/bin"] };
  base = await store.createImage({ base: null, layers: [layer], config, history: ["base"], created });
  boxes = new ChildBoxes(() => store);
  await boxes.bundlePrograms();
});
afterEach(() => {
  boxes.instead.clear();
  boxes.endings = [];
  boxes.timeout_ms = null;
  boxes.requests.length = 0;
  expect(boxes.living).toBe(0);
});
afterAll(async () => {
  boxes.close();
  await rm(dir, { recursive: true, force: true });
});

interface Given {
  readonly kind?: SourceKind;
  readonly file_name?: string;
  readonly settings?: Partial<Settings>;
  readonly signal?: AbortSignal;
  readonly openSource?: () => Readable;
}

async function build(source: string | Buffer, given: Given = {}) {
  const { kind = "module", file_name = "index.ts", settings = {}, signal = new AbortController().signal } = given;
  const bytes = Buffer.from(source);
  const records: BuildRecord[] = [];
  const id = newBuildId(Date.now());
  const built = await buildCode({
    job: {
      build: id,
      function: "fn" as never,
      source: { kind, file_name, digest: base, size_bytes: bytes.byteLength },
      settings: { ...DEFAULT_SETTINGS, ...settings },
      channel: "/",
    },
    openSource: given.openSource ?? (() => Readable.from([bytes])),
    store,
    base,
    builder: base,
    openBox: boxes.open,
    onRecord: (record) => records.push(record),
    now: () => new Date(0),
    signal,
  });
  // As it goes through the outbox: what the gateway cannot read would stay there for ever.
  BuildResult.parse({ build: id, function: "fn", ended_at: "", duration_us: 0, log_tail: records, ...built });
  return { ...built, records, log: records.filter((r) => r.status === "log").map((r) => r.msg) };
}

async function failure(source: string | Buffer, given: Given = {}) {
  const { outcome } = await build(source, given);
  if (outcome.status !== "error") throw new Error("the build succeeded");
  return outcome.error;
}

async function done(source: string | Buffer, given: Given = {}) {
  const { outcome } = await build(source, given);
  if (outcome.status !== "done") throw new Error(JSON.stringify(outcome.error));
  return outcome;
}

const HELLO = "export default () => new Response('hello')";

describe("a source becomes an image", () => {
  it("of one layer over the base, with the module and its map", async () => {
    const { image, contract, exports, size_bytes } = await done(HELLO);
    expect([contract, exports]).toEqual(["fetch", ["default (function)"]]);
    const { manifest, config } = await store.image(image);
    expect(manifest.layers.length).toBe(2);
    expect(config.config).toMatchObject({ User: "fn", WorkingDir: "/app", Env: ["PATH=/usr/bin"] });
    expect(config.config?.Cmd).toContain(RUNNER_PATH);
    const { lower } = await store.rootfs(image);
    const module = await readFile(join(lower[0]!, "app/index.mjs"), "utf8");
    const map = await readFile(join(lower[0]!, "app/index.mjs.map"), "utf8");
    expect(module).toContain("//# sourceMappingURL=index.mjs.map");
    expect(JSON.parse(map)).toMatchObject({ sources: ["index.ts"], sourcesContent: [HELLO] });
    expect(size_bytes).toBe(Buffer.byteLength(module) + Buffer.byteLength(map));
  });

  it("that is the same for the same source, whatever it came in", async () => {
    const { image } = await done(HELLO);
    const tar = await tarOf([["index.ts", { content: HELLO, mtime: new Date(1e12), uid: 5 }]]);
    const images = [
      await done(HELLO),
      await done(tar, { kind: "tar" }),
      await done(gzipSync(tar), { kind: "tar.gz" }),
      await done(zipOf([["index.ts", HELLO]]), { kind: "zip" }),
      await done(await tarOf([["repo-main/index.ts", HELLO]]), { kind: "tar" }),
    ].map((built) => built.image);
    expect(new Set(images)).toEqual(new Set([image]));
    expect((await done(`${HELLO};`)).image).not.toBe(image);
  });

  it("through steps that are numbered and timed, and two boxes that are counted", async () => {
    const { records, usage } = await build(HELLO);
    expect(records.filter((r) => r.status === "done").map((r) => r.step)).toEqual([
      "box",
      "receive",
      "unpack",
      "bundle",
      "layer",
      "detect",
    ]);
    expect(records.map((r) => r.seq)).toEqual(records.map((_, i) => i + 1));
    for (const record of records.filter((r) => r.status === "done"))
      expect(record.elapsed_ms).toBeGreaterThanOrEqual(0);
    expect(usage).toMatchObject({ cpu_us: 2_000, memory_peak_bytes: 2_000 });
  });

  it("with a body that is larger than a frame", async () => {
    const { image } = await done(`export const big = ${JSON.stringify("x".repeat(5_000_000))}; ${HELLO}`);
    const { lower } = await store.rootfs(image);
    expect((await readFile(join(lower[0]!, "app/index.mjs"))).byteLength).toBeGreaterThan(5_000_000);
  });

  it("in boxes that know the function's environment and never have less than Node needs", async () => {
    const settings = { env: { WHO: "x", PATH: "/own" }, pids: 8, memory_bytes: 16 << 20 };
    const source =
      "if (process.env.WHO !== 'x' || process.env.PATH !== '/own') throw new Error('env'); export const GET = () => {};";
    await done(source, { settings });
    const [bundling, detecting] = boxes.requests;
    expect(bundling!.env.join()).not.toContain("WHO");
    expect(detecting!.limits).toMatchObject({ pids: 64, memory_bytes: 128 << 20 });
  });
});

describe("a build fails, in words,", () => {
  it("when nothing handles a request", async () => {
    expect(await failure("export const answer = 42; export function helper() {}")).toMatchObject({
      code: "handler_not_found",
      message: "no handler was found; the module exports answer, helper",
      exports: ["answer", "helper"],
    });
  });

  it("when the source does not compile, with the place", async () => {
    const error = await failure("const a = 1;\n\treturn new Response(;\n");
    expect(error.message).toBe('index.ts:2:22: Unexpected ";"');
    expect(error.locations).toMatchObject([
      { file: "index.ts", line: 2, column: 22, excerpt: `2 | \treturn new Response(;\n  | \t${" ".repeat(20)}^` },
    ]);
  });

  it("when the module throws while it is loaded, with the user's line", async () => {
    const error = await failure("const a: number = 1;\n\nfunction f() { throw new Error('at load'); }\nf();");
    expect(error.message).toBe("the module failed while it was loaded: at load");
    expect(error.hint).toMatch(/at f .*index\.ts:3:22/);
  });

  it("when the module ends the process while it is loaded", async () => {
    expect((await failure("process.exit(3)")).message).toContain("ended the process while it was loaded (code 3)");
  });

  it.each([
    ["loops", "for (;;) {}"],
    ["awaits for ever", "await new Promise(() => {}); export default 1"],
  ])("when the module %s while it is loaded", async (_, source) => {
    boxes.timeout_ms = 3_000;
    const error = await failure(source);
    expect([error.message, error.hint]).toEqual([
      "loading the module took longer than 15 s",
      expect.stringContaining("endless loop"),
    ]);
  });

  it("when the memory does not suffice, whatever the box said last", async () => {
    boxes.endings = [{ kind: "out_of_memory" }];
    expect((await failure("syntax error here")).message).toBe("bundling the source needed more memory than 1 GiB");
    boxes.endings = [{ kind: "exit", code: 0 }, { kind: "out_of_memory" }];
    const error = await failure("process.exit(1)");
    expect([error.message, error.hint]).toEqual([
      "loading the module needed more memory than 128 MiB",
      expect.stringContaining("memory="),
    ]);
  });

  it("when no box can be made, as our own fault", async () => {
    boxes.instead.set(BUILDER_PATH, "/dev/null");
    boxes.endings = [
      { kind: "refused", step: "clone", errno: "EAGAIN", message: "try again", remedy: "raise pids.max" },
    ];
    expect(await failure(HELLO)).toEqual({
      code: "internal",
      message: "no box could be made for the build: clone: EAGAIN (try again)",
      hint: "raise pids.max",
    });
  });

  it("when it is cancelled, and its box ends at once", async () => {
    const cancel = new AbortController();
    const building = build("await new Promise(() => {}); export default 1", { signal: cancel.signal });
    while (boxes.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    cancel.abort();
    expect((await building).outcome).toMatchObject({ status: "error", error: { message: "the build was cancelled" } });
    expect((await failure(HELLO, { signal: cancel.signal })).message).toBe("the build was cancelled");
  });

  it("when a contract is asked for that code cannot have", async () => {
    expect((await failure(HELLO, { settings: { contract: "lambda" } })).message).toContain("contract=lambda");
    expect(boxes.requests).toEqual([]);
  });

  it("and a source that breaks off is an error of ours, not of who wrote it", async () => {
    const openSource = () =>
      Readable.from(
        (async function* () {
          yield Buffer.from("export ");
          throw new Error("the disk is gone");
        })(),
      );
    await expect(build("", { openSource })).rejects.toThrow("the disk is gone");
  });
});

describe("a box that says what is not true", () => {
  const frame = `const frame = (type, value) => { const body = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
    const head = Buffer.alloc(5); head[0] = type; head.writeUInt32BE(body.length, 1); let all = Buffer.concat([head, body]);
    while (all.length > 0) try { all = all.subarray(require("node:fs").writeSync(3, all)); } catch (e) { if (e.code !== "EAGAIN") throw e; } };`;

  it.each([
    ["an error of no shape", 'frame(8, { code: 5, message: ["x"] })'],
    ["an error that is no JSON", 'frame(8, "{")'],
    ["a frame of no type", 'require("node:fs").writeSync(3, Buffer.from([99, 0, 0, 0, 0]))'],
    ["readiness of no shape", "frame(4, { exports: 7 })"],
    ["a head in the place of readiness", 'frame(5, { exports: [], contract: "fetch" })'],
    ["a record that is no JSON", 'frame(10, "]")'],
    ["more records than anybody reads", "for (let i = 0; i < 10100; i++) frame(10, {})"],
  ])("as the user's module, with %s, fails its own build and nothing else", async (_, code) => {
    const source = `${frame}\n${code};\nawait new Promise((resolve) => setTimeout(resolve, 5000)); export default 1`;
    const error = await failure(source, { file_name: "index.mjs" });
    expect([error.code, error.message]).toEqual([
      "build_failed",
      "the module wrote to descriptor 3 while it was loaded",
    ]);
  });

  it("as the user's module, with what would flood the log, is cut", async () => {
    const { log } = await build(
      `console.log("x".repeat(100_000)); for (let i = 0; i < 40_000; i++) console.log("y".repeat(100)); ${HELLO}`,
    );
    expect(log[0]!.length).toBeLessThan(10_000);
    expect(Buffer.byteLength(log.join(""))).toBeLessThan(1.01 * 1024 * 1024);
    expect(log.at(-1)).toContain("the rest is dropped");
  });

  it("as the user's module, with a hundred thousand exports, is heard in part", async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `export const e${i} = 0;`).join("\n");
    const error = await failure(many);
    expect([error.code, error.exports?.length]).toEqual(["handler_not_found", 100]);
    expect(error.message.length).toBeLessThan(4_000);
  });

  it.each([
    ["ends without a word", ""],
    ["fails in no shape", 'frame(8, { code: "nope", message: [5] });'],
    ["fails in a code of somebody else", 'frame(8, { code: "timeout", message: "x" });'],
    ["names a file outside of the layer", 'frame(5, { files: [{ path: "../etc/passwd", size_bytes: 0 }] });'],
    ["names an absolute file", 'frame(5, { files: [{ path: "/etc/passwd", size_bytes: 0 }] });'],
    [
      "sends less than it announced",
      'frame(5, { files: [{ path: "index.mjs", size_bytes: 9 }] }); frame(6, "x"); frame(7, "");',
    ],
    [
      "sends more than it announced",
      'frame(5, { files: [{ path: "index.mjs", size_bytes: 1 }] }); frame(6, "xyz"); frame(7, "");',
    ],
    ["sends a whiteout", 'frame(5, { files: [{ path: ".wh.bin", size_bytes: 0 }] }); frame(7, "");'],
  ])("as the builder, and %s, is a fault of ours without a layer", async (_, code) => {
    const program = join(boxes.dir, "liar.cjs");
    writeFileSync(program, `${frame}\nrequire("node:fs").readSync(3, Buffer.alloc(9)); ${code}`);
    boxes.instead.set(BUILDER_PATH, program);
    const ended = await build(HELLO).then(
      ({ outcome }) => (outcome.status === "error" ? outcome.error.code : outcome.status),
      (error: Error) => error.name,
    );
    expect(["internal", "ImageError"]).toContain(ended);
    expect(boxes.requests.length).toBe(1);
  });

  it("as the builder, with a failure that is too large for an answer, is heard in part", async () => {
    const program = join(boxes.dir, "loud.cjs");
    const place = '{ file: "f", line: 1, column: 1, message: "m", excerpt: "e".repeat(9000) }';
    const said = `{ code: "build_failed", message: "x".repeat(500_000), locations: Array(50).fill(${place}) }`;
    writeFileSync(program, `${frame}\nframe(8, ${said});`);
    boxes.instead.set(BUILDER_PATH, program);
    const error = await failure(HELLO);
    expect([error.code, error.locations!.length]).toEqual(["build_failed", 10]);
    expect(JSON.stringify(error).length).toBeLessThan(20_000);
  });

  it("as the builder, with more than a layer may hold, is refused before it comes", async () => {
    const program = join(boxes.dir, "large.cjs");
    const files = '["a", "b"].map((path) => ({ path, size_bytes: 100 * 1024 * 1024 }))';
    writeFileSync(program, `${frame}\nframe(5, { files: ${files} }); setTimeout(() => {}, 1e6)`);
    boxes.instead.set(BUILDER_PATH, program);
    expect(await failure(HELLO)).toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining("209715200"),
    });
  });
});
