import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

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
