import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { BUILDER_PATH } from "./build-code.ts";
import { TestBuilds } from "./testing/test-builds.ts";

let builds: TestBuilds;
beforeAll(async () => {
  builds = await TestBuilds.start();
});
afterEach(() => builds.reset());
afterAll(() => builds.close());

const HELLO = "export default () => new Response('hello')";

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
    const error = await builds.failure(source, { file_name: "index.mjs" });
    expect([error.code, error.message]).toEqual([
      "build_failed",
      "the module wrote to descriptor 3 while it was loaded",
    ]);
  });

  it("as the user's module, with what would flood the log, is cut", async () => {
    const { log } = await builds.build(
      `console.log("x".repeat(100_000)); for (let i = 0; i < 40_000; i++) console.log("y".repeat(100)); ${HELLO}`,
    );
    expect(log[0]!.length).toBeLessThan(10_000);
    expect(Buffer.byteLength(log.join(""))).toBeLessThan(1.01 * 1024 * 1024);
    expect(log.at(-1)).toContain("the rest is dropped");
  });

  it("as the user's module, with a hundred thousand exports, is heard in part", async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `export const e${i} = 0;`).join("\n");
    const error = await builds.failure(many);
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
    const program = join(builds.boxes.dir, "liar.cjs");
    writeFileSync(program, `${frame}\nrequire("node:fs").readSync(3, Buffer.alloc(9)); ${code}`);
    builds.boxes.instead.set(BUILDER_PATH, program);
    const ended = await builds.build(HELLO).then(
      ({ outcome }) => (outcome.status === "error" ? outcome.error.code : outcome.status),
      (error: Error) => error.name,
    );
    expect(["internal", "ImageError"]).toContain(ended);
    expect(builds.boxes.requests.length).toBe(1);
  });

  it("as the builder, with a failure that is too large for an answer, is heard in part", async () => {
    const program = join(builds.boxes.dir, "loud.cjs");
    const place = '{ file: "f", line: 1, column: 1, message: "m", excerpt: "e".repeat(9000) }';
    const said = `{ code: "build_failed", message: "x".repeat(500_000), locations: Array(50).fill(${place}) }`;
    writeFileSync(program, `${frame}\nframe(8, ${said});`);
    builds.boxes.instead.set(BUILDER_PATH, program);
    const error = await builds.failure(HELLO);
    expect([error.code, error.locations!.length]).toEqual(["build_failed", 10]);
    expect(JSON.stringify(error).length).toBeLessThan(20_000);
  });

  it("as the builder, with more than a layer may hold, is refused before it comes", async () => {
    const program = join(builds.boxes.dir, "large.cjs");
    const files = '["a", "b"].map((path) => ({ path, size_bytes: 100 * 1024 * 1024, executable: false }))';
    writeFileSync(program, `${frame}\nframe(5, { install: null, files: ${files} }); setTimeout(() => {}, 1e6)`);
    builds.boxes.instead.set(BUILDER_PATH, program);
    expect(await builds.failure(HELLO)).toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining("209715200"),
    });
  });
});
