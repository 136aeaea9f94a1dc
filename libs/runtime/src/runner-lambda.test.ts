import { decodeJson, FRAME } from "@mayfly/contract";
import { afterEach, describe, expect, it } from "vitest";
import { lambdaEnvironment } from "./lambda/environment.ts";
import { call, endRunners, start } from "./testing/runner.ts";

afterEach(endRunners);
const ENV = lambdaEnvironment({ function: "hello", version: 3, memory_bytes: 128 * 1024 * 1024 });
const post = (source: string) =>
  call(source, "POST", "/p?q=1", ['{"a":', "1}"], [["content-type", "application/json"]], ENV);

describe("a module that exports `handler`", () => {
  it.each([
    ["an ES module", "export const handler = async (event, context) => ANSWER;"],
    ["CommonJS under default", "export default { handler: async (event, context) => ANSWER };"],
    ["without a promise", "export function handler(event, context) { return ANSWER; }"],
  ])("gets event and context: %s", async (_, source) => {
    const answer = await post(
      source.replace(
        "ANSWER",
        "({ statusCode: 201, headers: { 'X-Mine': 'yes' }, cookies: ['a=1'], body: JSON.stringify([event.version, event.rawPath, event.body, context, context.getRemainingTimeInMillis() > 5000]) })",
      ),
    );
    expect([answer.code, answer.complete, answer.error, answer.head]).toEqual([
      ...[0, true, null],
      {
        status: 201,
        headers: [
          ["content-type", "application/json"],
          ["x-mine", "yes"],
          ["set-cookie", "a=1"],
        ],
      },
    ]);
    const context = {
      ...{ awsRequestId: "inv_1", functionName: "hello", functionVersion: "3", memoryLimitInMB: "128" },
      invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:hello",
      ...{ logGroupName: "/aws/lambda/hello", logStreamName: "3", callbackWaitsForEmptyEventLoop: true },
    };
    expect(JSON.parse(answer.body)).toEqual(["2.0", "/p", '{"a":1}', context, true]);
  });

  it("answers with the JSON of what it returns, and with its failure", async () => {
    expect((await post("export const handler = async () => [1]")).body).toBe("[1]");
    expect((await post("export const handler = async () => { throw new TypeError('mine'); }")).error).toMatchObject({
      ...{ code: "function_error", message: "mine" },
    });
    expect((await post("export const handler = async () => ({ statusCode: 'x' })")).error).toMatchObject({
      code: "bad_response",
    });
  });

  it("is not taken where there is a fetch handler, unless it is asked for", async () => {
    const both = "export const handler = async () => 'lambda'; export default () => new Response('fetch');";
    expect((await post(both)).body).toBe("fetch");
    const contractOf = async (contract: "lambda" | "fetch" | null, source = both) => {
      const run = start(source);
      run.wire.write(run.init("detect", contract));
      await run.ended;
      return (decodeJson(run.frames.find(({ type }) => type === FRAME.READY)!) as { contract: string }).contract;
    };
    expect(await Promise.all([contractOf(null), contractOf("lambda"), contractOf("fetch")])).toEqual(
      ["fetch", "lambda", "fetch"], //
    );
    expect(await contractOf("fetch", "export const handler = async () => 1")).toBeNull();
  });

  it("with a callback is refused when it is loaded", async () => {
    const answer = await post("export const handler = (event, context, callback) => callback(null, 1)");
    expect(answer.error?.message).toMatch(/callback.*async \(event, context\)/);
  });
});

describe("a handler that streams its answer", () => {
  const streaming = (body: string) =>
    post(`export const handler = awslambda.streamifyResponse(async (event, stream, context) => { ${body} });`);
  it("sends its head with the first bytes, and each part when it is written", async () => {
    const answer = await streaming(
      `stream = awslambda.HttpResponseStream.from(stream, { statusCode: 203, headers: { "X-A": "b" }, cookies: ["c=d"] });
       stream.write("one "); await new Promise((r) => setTimeout(r, 200)); stream.write({ two: 2 }); stream.end();`,
    );
    expect([answer.head, answer.body, answer.complete, answer.code]).toEqual([
      {
        status: 203,
        headers: [
          ["content-type", "application/octet-stream"],
          ["x-a", "b"],
          ["set-cookie", "c=d"],
        ],
      },
      ...['one {"two":2}', true, 0],
    ]);
    const [first, second] = answer.times.slice(3);
    expect(second! - first!).toBeGreaterThan(100);
  });
  it("takes a type, a pipeline, and no byte at all", async () => {
    const answer = await streaming(
      `stream.setContentType("text/plain"); const { pipeline } = await import("node:stream/promises");
       await pipeline((await import("node:stream")).Readable.from(["a", "b"]), stream);`,
    );
    expect([answer.head?.headers, answer.body]).toEqual([[["content-type", "text/plain"]], "ab"]);
    expect(await streaming("stream.end()")).toMatchObject({ body: "", complete: true, head: { status: 200 } });
  });
  it("fails before its head as any handler, and after it without an end", async () => {
    expect(await streaming("throw new Error('early')")).toMatchObject({ head: null, error: { message: "early" } });
    const late = await streaming(
      "stream.write('x'); await new Promise((r) => setTimeout(r, 50)); throw new Error('late')",
    );
    expect(late).toMatchObject({ body: "x", complete: false, error: { code: "function_error", message: "late" } });
  });
});
