import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeJson, encodeFrame, encodeJson, FRAME, type Frame, FrameDecoder } from "@mayfly/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RUNNER_PATH, runnerCommand } from "./index.ts";

const MiB = 1024 * 1024;
let dir: string;
let children: ChildProcess[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mayfly-bodies-"));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

/** The runner with the flags of a box. What comes out is handed to `take` and not kept. */
async function serve(source: string, { method = "POST", env = {} }: { method?: string; env?: NodeJS.ProcessEnv } = {}) {
  writeFileSync(join(dir, "index.mjs"), source);
  const [, ...args] = runnerCommand().map((arg) =>
    arg === RUNNER_PATH ? join(import.meta.dirname, "runner.ts") : arg,
  );
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { PATH: process.env.PATH, ...env },
  });
  children.push(child);
  let log = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (log += chunk));
  const wire = child.stdio[3] as Duplex;
  wire.on("error", () => {});
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const write = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => (wire.write(bytes) ? resolve() : void wire.once("drain", resolve)));
  await write(encodeJson(FRAME.INIT, { module: join(dir, "index.mjs"), contract: "fetch", mode: "serve" }));
  await write(
    encodeJson(FRAME.HEAD, {
      method,
      target: "/",
      headers: [],
      origin: "http://fn.test",
      invocation: "inv_1",
      deadline_ms: 12345,
    }),
  );
  return { child, wire, write, frames: framesOf(wire), ended, log: () => log };
}

/** Reads up to a frame of this type, and stops reading there: to leave a loop would close the socket. */
async function reach(frames: AsyncGenerator<Frame>, type: number): Promise<void> {
  for (let next = await frames.next(); next.value?.type !== type; next = await frames.next())
    if (next.done) throw new Error(`no frame of type ${type} came`);
}

async function* framesOf(wire: Duplex): AsyncGenerator<Frame> {
  const decoder = new FrameDecoder();
  for await (const chunk of wire as AsyncIterable<Buffer>) yield* decoder.push(chunk);
}

const END = encodeFrame(FRAME.END, new Uint8Array(0));
/** The most memory the process ever held, from proc(5). */
const peakBytes = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;

describe("a large body", () => {
  it("goes in and out at once, 64 MiB each way, and leaves memory as it was", async () => {
    const run = await serve("export default (r) => new Response(r.body)");
    const part = encodeFrame(FRAME.DATA, Buffer.alloc(256 * 1024, 7));
    let before = 0;
    let peak = 0;
    let got = 0;
    const sending = (async () => {
      for (let sent = 0; sent < 64 * MiB; sent += 256 * 1024) await run.write(part);
      await run.write(END);
    })();
    for await (const frame of run.frames) {
      if (frame.type === FRAME.READY) before = peakBytes(run.child.pid!);
      if (frame.type === FRAME.END) break;
      if (frame.type !== FRAME.DATA) continue;
      got += frame.payload.byteLength;
      if (got > 60 * MiB) peak = peakBytes(run.child.pid!);
    }
    await sending;
    expect(got).toBe(64 * MiB);
    expect(peak - before).toBeLessThan(48 * MiB);
    expect(await run.ended).toBe(0);
  });

  it("that nobody takes is not produced", async () => {
    const run = await serve(
      `let made = 0; export default () => new Response(new ReadableStream({ pull(c) { made += 1; console.log(made); c.enqueue(new Uint8Array(${256 * 1024})); } }))`,
    );
    await run.write(END);
    await reach(run.frames, FRAME.DATA);
    await sleep(500);
    expect(run.child.exitCode).toBe(null);
    const made = Number(run.log().trim().split("\n").at(-1) ?? 0);
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(64);
  });

  it("that the handler does not read is not taken in", async () => {
    const run = await serve(
      "export default (r) => new Promise((done) => setTimeout(done, 1500, new Response('late')))",
    );
    let sent = 0;
    const part = encodeFrame(FRAME.DATA, new Uint8Array(256 * 1024));
    void (async () => {
      for (; sent < 400; sent += 1) await run.write(part);
    })();
    await reach(run.frames, FRAME.READY);
    await sleep(500);
    expect(run.child.exitCode).toBe(null);
    expect(sent).toBeLessThan(40);
    await reach(run.frames, FRAME.END);
    expect(await run.ended).toBe(0);
  });
});

describe("events that a handler sends", () => {
  it("arrive one by one, while the next is not there yet", async () => {
    const run = await serve(
      `let next; const ready = () => new Promise((resolve) => (next = resolve));
       process.on("SIGUSR2", () => next?.());
       export default () => new Response(new ReadableStream({ async pull(c) { await ready(); c.enqueue(new TextEncoder().encode("data: x\\n\\n")); } }),
         { headers: { "content-type": "text/event-stream" } })`,
      { method: "GET" },
    );
    await run.write(END);
    let events = 0;
    for await (const frame of run.frames) {
      if (frame.type === FRAME.HEAD)
        expect(decodeJson(frame)).toMatchObject({ headers: [["content-type", "text/event-stream"]] });
      if (frame.type === FRAME.DATA) {
        events += 1;
        expect(Buffer.from(frame.payload).toString()).toBe("data: x\n\n");
      }
      if (events === 3) break;
      // No event is made before the one before it has arrived here: each has to come alone.
      if (frame.type === FRAME.HEAD || frame.type === FRAME.DATA) setTimeout(() => run.child.kill("SIGUSR2"), 100);
    }
    expect(events).toBe(3);
  });
});

describe("a handler has", () => {
  const answer = async (source: string, env = {}) => {
    const run = await serve(source, { method: "GET", env });
    await run.write(END);
    const body: Uint8Array[] = [];
    for await (const frame of run.frames) {
      if (frame.type === FRAME.ERROR) throw new Error(JSON.stringify(decodeJson(frame)));
      if (frame.type === FRAME.DATA) body.push(new Uint8Array(frame.payload));
    }
    return { body: Buffer.concat(body).toString(), code: await run.ended, log: run.log() };
  };

  it("its environment and what it must know of its call", async () => {
    const { body } = await answer(
      "export default { fetch: (r, env, ctx) => Response.json([env.WHO, process.env.WHO, process.env.MAYFLY_INVOCATION, ctx.invocation, ctx.deadline, typeof ctx.waitUntil]) }",
      { WHO: "me" },
    );
    expect(JSON.parse(body)).toEqual(["me", "me", "inv_1", "inv_1", 12345, "function"]);
  });

  it.each([
    [
      "threads",
      `import { Worker } from "node:worker_threads"; export default () => new Promise((done) => new Worker("require('worker_threads').parentPort.postMessage('ok')", { eval: true }).on("message", (m) => done(new Response(m))))`,
    ],
    [
      "child processes",
      `import { execFileSync } from "node:child_process"; export default () => new Response(execFileSync(process.execPath, ["-p", "'ok'"]).toString().trim())`,
    ],
    [
      "WebAssembly",
      `export default async () => { await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); return new Response("ok"); }`,
    ],
    ["require", `export default () => new Response(require("node:path").sep === "/" ? "ok" : "")`],
    [
      "timers, crypto and fetch",
      `export default async () => { await new Promise((d) => setTimeout(d, 5)); crypto.randomUUID(); return new Response(await (await fetch("data:text/plain,ok")).text()); }`,
    ],
  ])("%s, with the flags of a box", async (_, source) => {
    expect(await answer(source)).toEqual({ body: "ok", code: 0, log: "" });
  });

  it("a stack with its own file and line, by the map that lies beside the bundle", async () => {
    const typescript =
      "enum E { A }\n\ninterface Unused {\n  a: string;\n}\nexport default () => {\n  throw new Error(`boom ${E.A}`);\n};\n";
    const code = stripTypeScriptTypes(typescript, { mode: "transform", sourceMap: true, sourceUrl: "handler.ts" });
    const [, script, inline] = /^(.*)\/\/# sourceMappingURL=data:application\/json;base64,(\S+)/s.exec(code)!;
    writeFileSync(join(dir, "index.mjs.map"), Buffer.from(inline!, "base64"));
    const run = await serve(`${script}//# sourceMappingURL=index.mjs.map\n`, { method: "GET" });
    await run.write(END);
    const errors: unknown[] = [];
    for await (const frame of run.frames) if (frame.type === FRAME.ERROR) errors.push(decodeJson(frame));
    await run.ended;
    expect(errors).toMatchObject([
      { code: "function_error", message: "boom 0", stack: expect.stringMatching(/handler\.ts:7:9/) },
    ]);
    expect(run.log()).toMatch(/handler\.ts:7:9/);
  });
});
