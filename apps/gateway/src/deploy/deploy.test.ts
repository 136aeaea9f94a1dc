import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type BuildJob, FIXED_LIMITS } from "@mayfly/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { KEY, rawRequest, startGateway, type TestGateway, textOf } from "../testing/gateway.ts";
import { IMAGE } from "../testing/worker.ts";

const MODULE = "export default () => new Response('hi')\n";
const auth = { authorization: `Bearer ${KEY}` };

describe("a deploy", () => {
  let gateway: TestGateway;
  let jobs: BuildJob[];
  const done = { status: "done", image: IMAGE, contract: "fetch", size_bytes: 100, exports: ["default"] } as const;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  beforeEach(() => {
    gateway.worker.built = build;
    jobs = [];
  });
  afterAll(() => gateway.close());

  const build: TestGateway["worker"]["built"] = async (job) => {
    jobs.push(job);
    return { ...done, exports: [...done.exports] };
  };
  const put = (path: string, body: string, headers: Record<string, string> = {}) =>
    gateway.api(`/v1/functions/${path}`, { method: "PUT", body, headers });
  const uploads = () => readdirSync(gateway.deps.uploads);

  it("is answered at once with where to look, and makes version 1", async () => {
    const answer = await put("now", MODULE);
    expect(answer.status).toBe(202);
    const { build } = (await answer.json()) as { build: { id: string; status: string } };
    expect(answer.headers.get("location")).toBe(`/v1/builds/${build.id}`);
    expect(build.status).toBe("queued");
    expect(await gateway.json(`/v1/builds/${build.id}?wait=10`)).toMatchObject({
      status: "done",
      version: 1,
      usage: { cpu_us: 5 },
    });
    expect((await gateway.call("now")).status).toBe(200);
  });

  it("is waited for on demand: 201 for the first version, 200 for the next", async () => {
    const first = await put("waited?wait=10", MODULE);
    expect(first.status).toBe(201);
    expect(await first.json()).toMatchObject({ version: 1, url: `${gateway.url}/fn/waited`, image: IMAGE });
    const second = await put("waited", `${MODULE}//`, { prefer: "wait=10" });
    expect([second.status, ((await second.json()) as { version: number }).version]).toEqual([200, 2]);
  });

  it("of the same source with the same settings is the same version, without a build", async () => {
    await put("same?wait=10&env.A=1", MODULE);
    const { length } = jobs;
    const again = await put("same?wait=10&env.A=1", MODULE);
    expect(await again.json()).toMatchObject({ version: 1, unchanged: true });
    expect(await (await put("same?wait=10", MODULE)).json()).toMatchObject({ version: 1 }); // Settings carry over.
    expect(jobs).toHaveLength(length);
    expect(await (await put("same?wait=10&env.A=2", MODULE)).json()).toMatchObject({ version: 2 });
    expect(uploads()).toEqual([]);
  });

  it("of a source that was live before takes it live again", async () => {
    await put("back?wait=10", MODULE);
    await put("back?wait=10", `${MODULE}//`);
    await put("back?wait=10", MODULE);
    expect(await gateway.json("/v1/functions/back")).toMatchObject({ version: 1 });
  });

  it("shows its log while it is built, as NDJSON and as events, with the result last", async () => {
    let go = () => {};
    gateway.worker.built = async (_, log) => {
      await log("first");
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      await log("second");
      return { ...done, exports: [] };
    };
    const answer = await put("logged", MODULE, { accept: "application/x-ndjson" });
    const reader = answer.body!.getReader();
    const decoder = new TextDecoder();
    expect(JSON.parse(decoder.decode((await reader.read()).value))).toMatchObject({ seq: 1, msg: "first" });
    go();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += decoder.decode(part.value);
    const records = rest
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toMatchObject([
      { seq: 2, msg: "second" },
      { seq: 3, step: "result", status: "done", version: 1, url: `${gateway.url}/fn/logged` },
    ]);
    gateway.worker.built = build;
    const events = await (await put("logged", `${MODULE}//`, { accept: "text/event-stream" })).text();
    expect(events).toMatch(/^id: \d+\ndata: \{.*"step":"result".*"version":2.*\}\n\n$/);
  });

  it("that fails is 422 with what failed, where, and the end of its log", async () => {
    gateway.worker.built = async (_, log) => {
      await log("bundling");
      const locations = [{ file: "index.ts", line: 3, column: 7, message: "Expected ;", excerpt: "let x y" }];
      return { status: "error", error: { code: "build_failed", message: "index.ts:3:7: Expected ;", locations } };
    };
    const answer = await put("broken?wait=10", MODULE);
    expect(answer.status).toBe(422);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await answer.json()) as { build: string };
    expect(problem).toMatchObject({
      code: "build_failed",
      detail: "index.ts:3:7: Expected ;",
      locations: [{ line: 3, column: 7 }],
      log_tail: [{ msg: "bundling" }],
    });
    const streamed = await (await put("broken", MODULE, { accept: "application/x-ndjson" })).text();
    const last = JSON.parse(streamed.trimEnd().split("\n").at(-1)!);
    expect(last).toMatchObject({ step: "result", status: "error", error: { code: "build_failed" } });
    expect((await gateway.api("/v1/functions/broken")).status).toBe(404);
    expect(await gateway.json(`/v1/builds/${problem.build}`)).toMatchObject({ status: "failed" });
    expect(await (await gateway.api(`/v1/builds/${problem.build}/log`)).text()).toContain("bundling");
  });

  it("can be a form, with its settings before or behind the source", async () => {
    for (const order of ["config first", "source first"]) {
      const form = new FormData();
      const parts = [
        () => form.append("config", JSON.stringify({ memory: "256MiB", env: { ORDER: order } })),
        () => form.append("source", new Blob([MODULE]), "handler.tsx"),
      ];
      for (const part of order === "config first" ? parts : parts.reverse()) part();
      const answer = await gateway.api("/v1/functions/form?wait=10&env.QUERY=1", { method: "PUT", body: form });
      expect([200, 201]).toContain(answer.status);
      expect(await answer.json()).toMatchObject({
        settings: { memory_bytes: 268435456, env: { ORDER: order, QUERY: "1" } },
      });
    }
    expect(jobs.map(({ source }) => source)).toMatchObject([{ file_name: "index.tsx" }, { file_name: "index.tsx" }]);
  });

  it("as a form that is none is told what is wrong, and leaves nothing", async () => {
    const form = (...parts: [string, string | Blob][]) => {
      const made = new FormData();
      for (const [name, value] of parts)
        typeof value === "string" ? made.append(name, value) : made.append(name, value, "f.ts");
      return made;
    };
    const source: [string, Blob] = ["source", new Blob([MODULE])];
    const cases: [FormData, RegExp][] = [
      [form(["config", "{}"]), /no file source/],
      [form(["file", new Blob([MODULE])]), /it is called source/],
      [form(["config", "[1]"], source), /no JSON object/],
      [form(source, ["config", "{"]), /part config/],
      [form(source, ["settings", "{}"]), /parts are config, source and secret/],
      [form(source, source), /two files/],
    ];
    for (const [body, detail] of cases) {
      const answer = await gateway.api("/v1/functions/formless?wait=5", { method: "PUT", body });
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { detail: string }).detail).toMatch(detail);
    }
    for (const config of ['{"memory":"1"}', '{"env":{"A":{"B":"1"}}}', '{"memory":["1"]}']) {
      const late = form(source, ["config", config]);
      expect((await gateway.api("/v1/functions/formless", { method: "PUT", body: late })).status, config).toBe(422);
    }
    const headers = { "content-type": "multipart/form-data" };
    expect((await put("formless", "x", headers)).status).toBe(400);
    expect(uploads()).toEqual([]);
  });

  it("whose client goes away leaves nothing, as a form or not", async () => {
    for (const type of ["application/javascript", "multipart/form-data; boundary=x"]) {
      const { request } = rawRequest(gateway.port, "/v1/functions/gone", {
        method: "PUT",
        headers: { ...auth, "content-type": type, "content-length": "100000" },
      });
      request.on("error", () => {});
      request.write('--x\r\nContent-Disposition: form-data; name="source"; filename="a.ts"\r\n\r\nexport');
      await vi.waitFor(() => expect(uploads()).toHaveLength(1));
      request.destroy();
      await vi.waitFor(() => expect(uploads()).toEqual([]));
    }
  });

  it("over the limit is 413 that names limit and size: announced, in chunks, and as a form", async () => {
    const size = FIXED_LIMITS.source_bytes + 1;
    const announced = rawRequest(gateway.port, "/v1/functions/large", {
      method: "PUT",
      headers: { ...auth, "content-length": String(size), connection: "keep-alive" },
    });
    announced.request.flushHeaders();
    const early = await announced.answer;
    expect(early.statusCode).toBe(413);
    expect(JSON.parse(await textOf(early))).toMatchObject({
      code: "body_too_large",
      limit_bytes: FIXED_LIMITS.source_bytes,
      size_bytes: size,
    });
    announced.request.destroy();

    const block = Buffer.alloc(1024 * 1024, "x");
    const inChunks = async (headers: Record<string, string>, begin: string, end: string) => {
      const { request, answer } = rawRequest(gateway.port, "/v1/functions/large", { method: "PUT", headers });
      request.write(begin);
      for (let sent = 0; sent < size; sent += block.byteLength)
        if (!request.write(block)) await new Promise((resolve) => request.once("drain", resolve));
      request.end(end);
      const { statusCode } = (await answer).resume();
      return statusCode;
    };
    expect(await inChunks(auth, "x", "")).toBe(413);
    const multipart = { ...auth, "content-type": "multipart/form-data; boundary=x" };
    const part = '--x\r\nContent-Disposition: form-data; name="source"; filename="a.ts"\r\n\r\n';
    expect(await inChunks(multipart, part, "\r\n--x--\r\n")).toBe(413);
    await vi.waitFor(() => expect(uploads()).toEqual([]));
    expect((await gateway.api("/v1/functions/large")).status).toBe(404);
  });

  it.each([
    ["Upper", MODULE, {}, 422, "bad_setting"],
    ["ok?memory=lots", MODULE, {}, 422, "bad_setting"],
    ["ok?nonsense=1", MODULE, {}, 422, "bad_setting"],
    ["ok?dockerfile=/Dockerfile", MODULE, {}, 422, "bad_setting"],
    ["ok?wait=long", MODULE, {}, 400, "bad_request"],
    ["ok?wait=-1", MODULE, {}, 400, "bad_request"],
    ["ok", "", {}, 400, "bad_request"],
    ["ok", `{"git":"ext::sh"}`, { "content-type": "application/json" }, 400, "bad_request"],
    ["ok", "\u007fELF\0\0\0", {}, 415, "unsupported_source"],
    ["ok?file=../../x.ts", MODULE, {}, 415, "unsupported_source"],
  ])("to %s of %j with %j is refused with %i %s and leaves nothing", async (path, body, headers, status, code) => {
    const answer = await put(path, body, { "content-type": "", ...(headers as Record<string, string>) });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
    expect(uploads()).toEqual([]);
  });

  it("of a place is built each time, but for a commit, which stays what it is", async () => {
    const at = (body: object) => put("placed?wait=10", JSON.stringify(body), { "content-type": "application/json" });
    const git = "https://example.org/x.git";
    for (const version of [1, 2]) expect(await (await at({ git, ref: "main" })).json()).toMatchObject({ version });
    expect(await (await at({ url: "https://example.org/x.tar.gz" })).json()).toMatchObject({ version: 3 });
    const commit = "0123456789abcdef0123456789abcdef01234567";
    expect(await (await at({ git, ref: commit })).json()).toMatchObject({ version: 4 });
    expect(await (await at({ git, ref: commit })).json()).toMatchObject({ version: 4, unchanged: true });
    expect(jobs.map(({ source }) => source.kind)).toEqual(Array(4).fill("reference"));
  });

  it("can be canceled: no version comes of it", async () => {
    gateway.worker.built = async () => {
      await sleep(300);
      return { ...done, exports: [] };
    };
    const { build } = (await (await put("stopped", MODULE)).json()) as { build: { id: string } };
    const following = gateway.api(`/v1/builds/${build.id}/log`).then((answer) => answer.text());
    expect(await (await gateway.api(`/v1/builds/${build.id}`, { method: "DELETE" })).json()).toMatchObject({
      status: "canceled",
    });
    expect(await following).toContain("canceled");
    expect((await gateway.api(`/v1/builds/${build.id}`, { method: "DELETE" })).status).toBe(409);
    await sleep(600);
    expect((await gateway.api("/v1/functions/stopped")).status).toBe(404);
    expect(uploads()).toEqual([]);
  });

  it("is refused at once when Redis is away, and leaves nothing", async () => {
    await gateway.redis.kill();
    const answer = await put("unlucky?wait=10", MODULE);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: "unavailable" });
    expect(uploads()).toEqual([]);
    await gateway.redis.start();
    await vi.waitFor(async () => expect((await put("unlucky?wait=10", MODULE)).status).toBe(201), {
      timeout: 10_000,
      interval: 200,
    });
  });
});
