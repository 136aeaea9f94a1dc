import { decodeJson, encodeFrame, FRAME } from "@mayfly/contract";
import { afterEach, describe, expect, it } from "vitest";
import { call, END, endRunners, head, start } from "./testing/runner.ts";

afterEach(endRunners);

describe("a handler is found in every shape", () => {
  it.each([
    ["an object with fetch", "export default { fetch: (request) => new Response('a ' + request.method) }"],
    [
      "an instance of a class with fetch",
      "class App { greet = 'a '; fetch(r) { return new Response(this.greet + r.method); } } export default new App();",
    ],
    ["a function", "export default function (r) { return new Response('a ' + r.method); }"],
    ["an async arrow", "export default async (r) => new Response('a ' + r.method);"],
    [
      "a function with a property fetch",
      "const app = () => {}; app.fetch = (r) => new Response('a ' + r.method); export default app;",
    ],
    ["named methods", "export const GET = (r) => new Response('a ' + r.method);"],
    ["CommonJS under default", "export default { default: (r) => new Response('a ' + r.method) };"],
    ["CommonJS methods under default", "export default { GET: (r) => new Response('a ' + r.method) };"],
  ])("%s", async (_, source) => {
    const answer = await call(source);
    expect([answer.code, answer.head?.status, answer.body, answer.complete, answer.error]).toEqual([
      0,
      200,
      "a GET",
      true,
      null,
    ]);
  });

  it("and detection lists what is exported when there is none", async () => {
    const run = start("export const answer = 42; export class Thing {}; export default { a: 1 };");
    run.wire.write(run.init("detect"));
    expect(await run.ended).toBe(0);
    const ready = run.frames.find((frame) => frame.type === FRAME.READY)!;
    expect(decodeJson(ready)).toEqual({ exports: ["Thing", "answer", "default (object with a)"], contract: null });
  });
});

describe("named methods", () => {
  const source = "export const GET = () => new Response('got'); export const POST = () => new Response('posted');";
  it("answer HEAD by GET without a body", async () => {
    const answer = await call(source, "HEAD");
    expect([answer.head?.status, answer.body, answer.complete]).toEqual([200, "", true]);
  });
  it.each([
    ["DELETE", 405],
    ["OPTIONS", 204],
  ])("answer %s with %i and what is allowed", async (method, status) => {
    const answer = await call(source, method);
    expect(answer.head?.status).toBe(status);
    expect(Object.fromEntries(answer.head!.headers).allow).toBe("GET, POST, HEAD, OPTIONS");
  });
});

describe("a request", () => {
  it("arrives with method, path, query, headers and body", async () => {
    const source = `export default async (r) => Response.json([r.method, r.url, r.headers.get("x-a"), await r.text()]);`;
    const answer = await call(source, "POST", "/p/q?x=1", ["one ", "two"], [["x-a", "b"]]);
    expect(JSON.parse(answer.body)).toEqual(["POST", "http://fn.test/p/q?x=1", "b", "one two"]);
  });

  it("can be left unread", async () => {
    const answer = await call("export default () => new Response('ok')", "POST", "/", ["x".repeat(500_000)]);
    expect([answer.code, answer.body]).toEqual([0, "ok"]);
  });

  it("can be answered while it still comes", async () => {
    const run = start("export default (r) => new Response(r.body)");
    run.wire.write(run.init());
    run.wire.write(head("POST", "/"));
    run.wire.write(encodeFrame(FRAME.DATA, Buffer.from("first")));
    await until(() => run.frames.some((frame) => frame.type === FRAME.DATA));
    run.wire.write(encodeFrame(FRAME.DATA, Buffer.from("second")));
    run.wire.write(END);
    expect(await run.ended).toBe(0);
    expect(Buffer.concat(run.frames.filter((f) => f.type === FRAME.DATA).map((f) => f.payload)).toString()).toBe(
      "firstsecond",
    );
  });
});

describe("an answer", () => {
  it("goes out as it is produced", async () => {
    const source = `export default () => new Response(new ReadableStream({ async start(c) {
      for (const part of ["a", "b", "c"]) { c.enqueue(new TextEncoder().encode(part)); await new Promise((r) => setTimeout(r, 150)); } c.close(); } }));`;
    const answer = await call(source);
    const at = answer.times.filter((_, i) => answer.frames[i]!.type === FRAME.DATA);
    expect(at.length).toBe(3);
    expect(at[2]! - at[0]!).toBeGreaterThan(200);
  });

  it("keeps several cookies apart and leaves out headers of a connection", async () => {
    const source = `export default () => { const r = new Response("x"); r.headers.append("set-cookie", "a=1"); r.headers.append("set-cookie", "b=2");
      r.headers.set("connection", "close"); r.headers.set("x-y", "z"); return r; }`;
    const { headers } = (await call(source)).head!;
    expect(headers.filter(([name]) => name === "set-cookie")).toEqual([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    expect(headers.map(([name]) => name)).not.toContain("connection");
    expect(headers).toContainEqual(["x-y", "z"]);
  });

  it.each([
    ["a string", "'text'", "a value of type string; return new Response(text)"],
    ["nothing", "undefined", "returned nothing"],
    ["an object", "({ a: 1 })", "a value of type object; return new Response(…) or Response.json(…)"],
  ])("that is %s is refused with what would be right", async (_, value, message) => {
    const { error, code } = await call(`export default () => ${value}`);
    expect([code, error?.code]).toEqual([1, "bad_response"]);
    expect(error?.message).toContain(message);
  });

  it("waits for waitUntil, also for what was handed over meanwhile", async () => {
    const source = `export default (r, env, ctx) => { ctx.waitUntil(new Promise((done) => setTimeout(() => { ctx.waitUntil(
      new Promise((d) => setTimeout(() => { console.log("late"); d(); }, 50))); done(); }, 50))); return new Response("x"); }`;
    const answer = await call(source);
    expect([answer.code, answer.log]).toEqual([0, "late\n"]);
  });

  it("ends the box although the handler left a timer and a server running", async () => {
    const source = `import http from "node:http"; export default () => { setInterval(() => {}, 1e6); http.createServer().listen(0); return new Response("x"); }`;
    expect((await call(source)).code).toBe(0);
  });
});

describe("a failure", () => {
  it.each([
    ["a throw", "export default () => { throw new Error('no luck'); }"],
    ["a rejection", "export default async () => { throw new Error('no luck'); }"],
    [
      "an exception in a callback",
      "export default () => new Promise(() => setTimeout(() => { throw new Error('no luck'); }, 1))",
    ],
    [
      "a rejection nobody handles",
      "export default () => { Promise.reject(new Error('no luck')); return new Promise(() => {}); }",
    ],
    ["a throw while loading", "throw new Error('no luck');"],
  ])("by %s is a function_error with a message, and a stack in the log", async (_, source) => {
    const { code, error, log } = await call(source);
    expect([code, error?.code]).toEqual([1, "function_error"]);
    expect(error?.message).toContain("no luck");
    expect(log).toContain("no luck");
    expect(log).toContain("index.mjs");
  });

  it("after the head cuts the answer with an error", async () => {
    const source = `export default () => new Response(new ReadableStream({ pull(c) { c.enqueue(new TextEncoder().encode("x")); throw new Error("mid"); } }));`;
    const { head: sent, complete, error } = await call(source);
    expect([sent?.status, complete, error?.message]).toEqual([200, false, "mid"]);
  });

  it("by process.exit leaves no answer, and the code", async () => {
    const { code, head: sent, error } = await call("export default () => process.exit(7)");
    expect([code, sent, error]).toEqual([7, null, null]);
  });

  it("of the caller aborts the request's signal and ends the box", async () => {
    const run = start(
      `export default (r) => new Promise(() => r.signal.addEventListener("abort", () => console.log("aborted")))`,
    );
    run.wire.write(run.init());
    run.wire.write(head("GET", "/"));
    run.wire.write(END);
    await until(() => run.frames.some((frame) => frame.type === FRAME.READY));
    await new Promise((resolve) => setTimeout(resolve, 100));
    run.wire.end();
    expect(await run.ended).toBe(1);
    expect(run.log()).toBe("aborted\n");
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
