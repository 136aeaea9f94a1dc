import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

/** A runtime as they come with Lambda images: it asks for its request over HTTP, replies, and asks again. */
const RUNTIME = `FROM mayfly/node:24
WORKDIR /var/task
COPY <<"runtime.js" /var/task/
const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2018-06-01/runtime/";
const post = (path, body, headers = {}) => fetch(api + path, { method: "POST", body, headers, duplex: "half" });
const { request } = require("node:http");
let calls = 0;
const handlers = {
  "/echo": (event, headers) => JSON.stringify({ statusCode: 203, headers: { "x-mine": "yes" }, body: JSON.stringify({ calls: ++calls, event, deadline: headers.get("lambda-runtime-deadline-ms"),
    arn: headers.get("lambda-runtime-invoked-function-arn"), trace: headers.get("lambda-runtime-trace-id"), handler: process.env._HANDLER, root: process.env.LAMBDA_TASK_ROOT, uid: process.getuid() }) }),
  "/value": () => JSON.stringify({ a: 1 }),
  "/large": () => JSON.stringify("x".repeat(7 << 20)),
  "/none": () => "no json",
};
(async () => {
  if (process.env.FAIL) { await post("init/error", JSON.stringify({ errorMessage: "no database", errorType: "Mine.Start" })); process.exit(1); }
  for (;;) {
    const next = await fetch(api + "invocation/next");
    const id = next.headers.get("lambda-runtime-aws-request-id");
    const event = await next.json();
    const path = event.rawPath;
    console.log("asked for", path);
    if (path === "/throws") await post("invocation/" + id + "/error", JSON.stringify({ errorMessage: "mine", errorType: "TypeError", stackTrace: ["at a.js:1"] }));
    else if (path === "/exits") process.exit(7);
    else if (path === "/wrong") { const codes = [];
      for (const what of ["invocation/other/response", "nonsense"]) codes.push((await post(what, "{}")).status);
      codes.push((await fetch(api + "invocation/next")).status);
      await post("invocation/" + id + "/response", JSON.stringify(codes)); }
    else if (path.startsWith("/stream")) await new Promise((resolve) => {
      const { AWS_LAMBDA_RUNTIME_API: host } = process.env;
      const sent = request("http://" + host + "/2018-06-01/runtime/invocation/" + id + "/response", { method: "POST", headers: { "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked", Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body", "Content-Type": "application/vnd.awslambda.http-integration-response" } },
        (answer) => answer.resume().on("end", resolve));
      sent.write(JSON.stringify({ statusCode: 207, headers: { "content-type": "text/plain" }, cookies: ["a=1"] }) + String.fromCharCode(0).repeat(8) + "one ");
      setTimeout(() => { sent.write("two"); if (path === "/stream-fails") sent.addTrailers({ "Lambda-Runtime-Function-Error-Type": "Function.Late", "Lambda-Runtime-Function-Error-Body": Buffer.from('{"errorMessage":"late"}').toString("base64") }); sent.end(); }, 300);
    });
    else await post("invocation/" + id + "/response", handlers[path](event, next.headers));
  }
})();
runtime.js
ENTRYPOINT ["node", "runtime.js"]
CMD ["index.handler"]
`;

let mayfly: System;
beforeAll(async () => {
  mayfly = await startSystem();
}, 300_000);
afterAll(() => mayfly?.stop());

describe("a module that exports a Lambda handler", () => {
  const SOURCE = `let calls = 0;
export const handler = async (event, context) => {
  console.log("asked for", event.rawPath);
  return { statusCode: 201, cookies: ["a=1"], body: JSON.stringify({ calls: ++calls, path: event.rawPath, query: event.queryStringParameters,
    body: event.body, id: context.awsRequestId, name: context.functionName, left: context.getRemainingTimeInMillis(), env: process.env.AWS_LAMBDA_FUNCTION_NAME }) };
};`;

  it("is found, called in a fresh box each time, ready or not, and billed", async () => {
    const deployed = await mayfly.deploy("module", SOURCE, "timeout=20s");
    expect(await deployed.json()).toMatchObject({ contract: "lambda" });
    const starts = new Set<string>();
    for (let call = 0; call < 6; call += 1) {
      const headers = { "content-type": "text/plain" };
      const answer = await mayfly.call("module/a?b=c&b=d", { method: "POST", body: "hi", headers });
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([201, ["a=1"]]);
      const { left, ...said } = (await answer.json()) as { left: number };
      expect(said).toEqual({
        ...{ calls: 1, path: "/a", query: { b: "c,d" }, body: "hi", name: "module", env: "module" },
        id: answer.headers.get("mayfly-invocation"),
      });
      expect(left).toBeGreaterThan(10_000);
      const record = await mayfly.record(answer);
      expect(record).toMatchObject({ status: "succeeded", http_status: 201 });
      starts.add(record.start!);
    }
    expect([...starts]).toContain("ready");
    expect([...starts].length).toBeGreaterThan(1);
  });
});

describe("an image whose program asks the Lambda Runtime API", () => {
  beforeAll(async () => {
    const answer = await mayfly.deploy("image", RUNTIME, "timeout=10s");
    expect(await answer.json()).toMatchObject({ contract: "lambda" });
  }, 60_000);

  it("is found without a word of a module that it does not have, or of how its trial ended", async () => {
    const headers = { accept: "application/x-ndjson" };
    const log = await (await mayfly.deploy("told", `${RUNTIME}ENV TOLD=1\n`, "", headers)).text();
    const records = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { step: string; status: string });
    expect(records.filter(({ step, status }) => step === "detect" && status === "log")).toEqual([]);
    expect(records.at(-1)).toMatchObject({ step: "result", status: "done" });
  }, 60_000);

  it("gets its request as an event and replies, in a fresh box each time, ready or not, and is billed", async () => {
    const starts = new Set<string | null>();
    for (let call = 0; call < 5; call += 1) {
      const body = Buffer.from([0, 255]);
      const answer = await mayfly.call("image/echo?a=b", { method: "POST", body, headers: { cookie: "c=d" } });
      expect([answer.status, answer.headers.get("x-mine")]).toEqual([203, "yes"]);
      const id = answer.headers.get("mayfly-invocation")!;
      const said = (await answer.json()) as { event: object; deadline: string; trace: string };
      expect(said).toMatchObject({
        ...{ calls: 1, handler: "index.handler", root: "/var/task", uid: 1000 },
        arn: "arn:aws:lambda:us-east-1:000000000000:function:image",
        event: { version: "2.0", rawPath: "/echo", body: "AP8=", isBase64Encoded: true, cookies: ["c=d"] },
      });
      expect(said.event).toMatchObject({ requestContext: { requestId: id, http: { method: "POST" } } });
      expect(Number(said.deadline)).toBeGreaterThan(Date.now());
      expect(said.trace).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
      const record = await mayfly.record(id);
      expect(record).toMatchObject({ status: "succeeded", http_status: 203 });
      expect(record.bill.usage).toMatchObject({ request_bytes: 2, cpu_us: expect.any(Number) });
      expect(await mayfly.log(id)).toContain("asked for /echo");
      starts.add(record.start);
    }
    expect([...starts].sort()).toEqual(["booted", "ready"]);
  });

  it("answers with a value, and streams", async () => {
    expect(await (await mayfly.call("image/value")).json()).toEqual({ a: 1 });
    const streamed = await mayfly.call("image/stream");
    expect([streamed.status, streamed.headers.getSetCookie()]).toEqual([207, ["a=1"]]);
    const parts: string[] = [];
    for await (const part of streamed.body!) parts.push(Buffer.from(part).toString());
    expect(parts).toEqual(["one ", "two"]);
    expect(await mayfly.record(streamed)).toMatchObject({ status: "succeeded" });
  });

  it.each([
    ["fails", "throws", 500, { code: "function_error", message: "TypeError: mine" }],
    ["ends without a reply", "exits", 502, { code: "function_crashed", message: /code 7/ }],
    ["returns what is no JSON", "none", 502, { code: "bad_response", message: /no JSON/ }],
    ["answers with too much", "large", 502, { code: "response_too_large", message: /6291556 bytes/ }],
  ])("and when it %s its caller is told, and its record says why", async (_, path, status, { code, message }) => {
    const answer = await mayfly.call(`image/${path}`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    const record = await mayfly.record(answer);
    expect(record.error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(record.bill.lines.length).toBeGreaterThan(0);
  });

  it("and when it fails while it streams, its answer has no end", async () => {
    const answer = await mayfly.call("image/stream-fails");
    await expect(answer.text()).rejects.toThrow();
    expect(await mayfly.record(answer)).toMatchObject({
      error: { code: "function_error", message: "Function.Late: late" },
    });
  });

  it("is refused what the API does not have, and bodies that no event holds", async () => {
    expect(await (await mayfly.call("image/wrong")).json()).toEqual([400, 404, 403]);
    const large = await mayfly.call("image/value", { method: "POST", body: Buffer.alloc((6 << 20) + 1) });
    expect(large.status).toBe(413);
  });

  it("is no version when it fails before it asks, and is told why", async () => {
    const answer = await mayfly.deploy("wrong", `${RUNTIME}ENV FAIL=1\n`, "contract=lambda");
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      {
        code: "handler_not_found",
        detail: expect.stringContaining("failed while it started: Mine.Start: no database"),
      },
    ]);
  });
});
