import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

describe("an overload", () => {
  let mayfly: System;
  beforeAll(async () => {
    mayfly = await startSystem({ MAYFLY_CONCURRENCY: "2" });
    const slow =
      "export default async () => { await new Promise((r) => setTimeout(r, 500)); return new Response('done'); }";
    expect((await mayfly.deploy("slow", slow, "timeout=60s")).status).toBe(201);
    expect((await mayfly.deploy("narrow", slow, "concurrency=2")).status).toBe(201);
    expect((await mayfly.deploy("quick", "export default () => new Response('quick')", "timeout=60s")).status).toBe(
      201,
    );
  }, 300_000);
  afterAll(() => mayfly?.stop(), 60_000);

  it("is told at once, with 503 and when to come back; what was taken in is served; nobody else starves", async () => {
    // Two boxes and a queue of 32, of which one function may fill 24.
    const calls = Array.from({ length: 60 }, async () => {
      const began = performance.now();
      const answer = await mayfly.call("slow");
      return {
        status: answer.status,
        retry: answer.headers.get("retry-after"),
        body: await answer.text(),
        ms: performance.now() - began,
      };
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const other = await mayfly.call("quick");
    expect([other.status, await other.text()]).toEqual([200, "quick"]);
    const answers = await Promise.all(calls);
    const refused = answers.filter((answer) => answer.status === 503);
    const served = answers.filter((answer) => answer.status === 200);
    expect(refused.length + served.length).toBe(60);
    expect(refused.length).toBeGreaterThan(20);
    expect(served.length).toBeGreaterThanOrEqual(24);
    for (const answer of refused) {
      expect(Number(answer.retry)).toBeGreaterThanOrEqual(1);
      expect(JSON.parse(answer.body)).toMatchObject({ code: "no_capacity", status: 503 });
    }
    expect(Math.max(...refused.map((answer) => answer.ms))).toBeLessThan(2_000);
  }, 120_000);

  it("of one function's own limit is 429", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => mayfly.call("narrow")));
    const statuses = answers.map((answer) => answer.status).sort();
    expect(statuses).toEqual([200, 200, 429, 429, 429, 429]);
    expect(answers.find((answer) => answer.status === 429)!.headers.get("retry-after")).toBe("1");
  });
});
