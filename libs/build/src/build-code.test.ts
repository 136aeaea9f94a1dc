import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { COMPILED_PATH, RUNNER_PATH } from "@mayfly/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { BUILDER_PATH } from "./build-code.ts";
import { tarOf, zipOf } from "./testing/archives.ts";
import { TestBuilds } from "./testing/test-builds.ts";

let builds: TestBuilds;
beforeAll(async () => {
  builds = await TestBuilds.start();
});
afterEach(() => builds.reset());
afterAll(() => builds.close());

const HELLO = "export default () => new Response('hello')";

describe("a source becomes an image", () => {
  it("of one layer over the base, with the module and its map", async () => {
    const { image, contract, exports, size_bytes } = await builds.done(HELLO);
    expect([contract, exports]).toEqual(["fetch", ["default (function)"]]);
    const { manifest, config } = await builds.store.image(image);
    expect(manifest.layers.length).toBe(2);
    expect(config.config).toMatchObject({ User: "fn", WorkingDir: "/app", Env: ["PATH=/usr/bin"] });
    expect(config.config?.Cmd).toContain(RUNNER_PATH);
    const { lower } = await builds.store.rootfs(image);
    const module = await readFile(join(lower[0]!, "app/index.mjs"), "utf8");
    const map = await readFile(join(lower[0]!, "app/index.mjs.map"), "utf8");
    expect(module).toContain("//# sourceMappingURL=index.mjs.map");
    expect(JSON.parse(map)).toMatchObject({ sources: ["index.ts"], sourcesContent: [HELLO] });
    expect(size_bytes).toBe(Buffer.byteLength(module) + Buffer.byteLength(map));
  });

  it("that is the same for the same source, whatever it came in", async () => {
    const { image } = await builds.done(HELLO);
    const tar = await tarOf([["index.ts", { content: HELLO, mtime: new Date(1e12), uid: 5 }]]);
    const images = [
      await builds.done(HELLO),
      await builds.done(tar, { kind: "tar" }),
      await builds.done(gzipSync(tar), { kind: "tar.gz" }),
      await builds.done(zipOf([["index.ts", HELLO]]), { kind: "zip" }),
      await builds.done(await tarOf([["repo-main/index.ts", HELLO]]), { kind: "tar" }),
    ].map((built) => built.image);
    expect(new Set(images)).toEqual(new Set([image]));
    expect((await builds.done(`${HELLO};`)).image).not.toBe(image);
  });

  it("through steps that are numbered and timed, and two boxes that are counted", async () => {
    const { records, usage } = await builds.build(HELLO);
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
    const { image } = await builds.done(`export const big = ${JSON.stringify("x".repeat(5_000_000))}; ${HELLO}`);
    const { lower } = await builds.store.rootfs(image);
    const sizes = await Promise.all(lower.map((dir) => stat(join(dir, "app/index.mjs")).catch(() => ({ size: 0 }))));
    expect(Math.max(...sizes.map(({ size }) => size))).toBeGreaterThan(5_000_000);
  });

  it("with a layer of compiled code over a module that takes long to compile, the same each time", async () => {
    const functions = Array.from(
      { length: 2_000 },
      (_, i) => `export function f${i}(x) { return x.a + ${i} * f0(x); }`,
    );
    const large = `${functions.join("\n")}; ${HELLO}`;
    const { records, outcome } = await builds.build(large);
    const { image } = outcome as Extract<typeof outcome, { status: "done" }>;
    expect(records.find((r) => r.step === "detect" && r.status === "done")!.msg).toMatch(
      /, \d+ bytes of compiled code$/,
    );
    const { lower } = await builds.store.rootfs(image);
    const versions = await readdir(join(lower[0]!, COMPILED_PATH));
    expect(versions).toEqual([expect.stringContaining(process.version)]);
    expect((await builds.done(large)).image).toBe(image);
  });

  it("with compiled code of a bundle whose packages have many modules beside it", async () => {
    const names = Array.from({ length: 150 }, (_, i) => `m${i}`);
    const modules = names.map((name) => [`node_modules/kept/${name}.js`, `module.exports = () => "${name}";`] as const);
    const all = names.map((name) => `require("./${name}.js")`).join();
    const long = Array.from({ length: 2_000 }, (_, i) => `export function f${i}(x) { return x.a + ${i} * f0(x); }`);
    const tar = await tarOf([
      ...modules,
      ["node_modules/kept/index.js", `module.exports = [__dirname, ${all}];`],
      ["index.js", `import "kept"; ${long.join("\n")}; ${HELLO}`],
    ]);
    const { records, outcome } = await builds.build(tar, { kind: "tar" });
    expect(outcome).toMatchObject({ status: "done" });
    expect(records.find((r) => r.step === "detect" && r.status === "done")!.msg).toContain("bytes of compiled code");
  });

  it("in boxes that know the function's environment and never have less than Node needs", async () => {
    const settings = { env: { WHO: "x", PATH: "/own" }, pids: 8, memory_bytes: 16 << 20 };
    const source =
      "if (process.env.WHO !== 'x' || process.env.PATH !== '/own') throw new Error('env'); export const GET = () => {};";
    await builds.done(source, { settings });
    const [bundling, detecting] = builds.boxes.requests;
    expect(bundling!.env.join()).not.toContain("WHO");
    expect(detecting!.limits).toMatchObject({ pids: 64, memory_bytes: 128 << 20 });
  });
});

describe("a build fails, in words,", () => {
  it("when nothing handles a request", async () => {
    expect(await builds.failure("export const answer = 42; export function helper() {}")).toMatchObject({
      code: "handler_not_found",
      message: "no handler was found; the module exports answer, helper",
      exports: ["answer", "helper"],
    });
  });

  it("when the source does not compile, with the place", async () => {
    const error = await builds.failure("const a = 1;\n\treturn new Response(;\n");
    expect(error.message).toBe('index.ts:2:22: Unexpected ";"');
    expect(error.locations).toMatchObject([
      { file: "index.ts", line: 2, column: 22, excerpt: `2 | \treturn new Response(;\n  | \t${" ".repeat(20)}^` },
    ]);
  });

  it("when the module throws while it is loaded, with the user's line", async () => {
    const error = await builds.failure("const a: number = 1;\n\nfunction f() { throw new Error('at load'); }\nf();");
    expect(error.message).toBe("the module failed while it was loaded: at load");
    expect(error.hint).toMatch(/at f .*index\.ts:3:22/);
  });

  it("when the module ends the process while it is loaded", async () => {
    expect((await builds.failure("process.exit(3)")).message).toContain(
      "ended the process while it was loaded (code 3)",
    );
  });

  it.each([
    ["loops", "for (;;) {}"],
    ["awaits for ever", "await new Promise(() => {}); export default 1"],
  ])("when the module %s while it is loaded", async (_, source) => {
    builds.boxes.timeout_ms = 3_000;
    const error = await builds.failure(source);
    expect([error.message, error.hint]).toEqual([
      "loading the module took longer than 15 s",
      expect.stringContaining("endless loop"),
    ]);
  });

  it("when the memory does not suffice, whatever the box said last", async () => {
    builds.boxes.endings = [{ kind: "out_of_memory" }];
    expect((await builds.failure("syntax error here")).message).toBe(
      "bundling the source needed more memory than 1 GiB",
    );
    builds.boxes.endings = [{ kind: "exit", code: 0 }, { kind: "out_of_memory" }];
    const error = await builds.failure("process.exit(1)");
    expect([error.message, error.hint]).toEqual([
      "loading the module needed more memory than 128 MiB",
      expect.stringContaining("memory="),
    ]);
  });

  it("when no box can be made, as our own fault", async () => {
    builds.boxes.instead.set(BUILDER_PATH, "/dev/null");
    builds.boxes.endings = [
      { kind: "refused", step: "clone", errno: "EAGAIN", message: "try again", remedy: "raise pids.max" },
    ];
    expect(await builds.failure(HELLO)).toEqual({
      code: "internal",
      message: "no box could be made for the build: clone: EAGAIN (try again)",
      hint: "raise pids.max",
    });
  });

  it("when it is cancelled, and its box ends at once", async () => {
    const cancel = new AbortController();
    const building = builds.build("await new Promise(() => {}); export default 1", { signal: cancel.signal });
    while (builds.boxes.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    cancel.abort();
    expect((await building).outcome).toMatchObject({ status: "error", error: { message: "the build was cancelled" } });
    expect((await builds.failure(HELLO, { signal: cancel.signal })).message).toBe("the build was cancelled");
  });

  it("when a contract is asked for that code cannot have", async () => {
    expect((await builds.failure(HELLO, { settings: { contract: "http" } })).message).toContain("contract=http");
    expect(builds.boxes.requests).toEqual([]);
  });

  it("and a source that breaks off is an error of ours, not of who wrote it", async () => {
    const openSource = () =>
      Readable.from(
        (async function* () {
          yield Buffer.from("export ");
          throw new Error("the disk is gone");
        })(),
      );
    await expect(builds.build("", { openSource })).rejects.toThrow("the disk is gone");
  });
});
