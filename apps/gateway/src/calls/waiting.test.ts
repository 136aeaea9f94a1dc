import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { problemOf as problem, rawRequest, startGateway, type TestGateway } from "../testing/gateway.ts";

describe("calls that nobody takes", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ queueLimit: 4 });
    await gateway.define("flood", { timeout_ms: 2_000 });
    await gateway.define("other", { timeout_ms: 2_000 });
    await gateway.worker.close();
  });
  afterAll(() => gateway.close());

  it("wait to a bound, leave room for other functions, and end at their deadline with nothing run", async () => {
    const began = performance.now();
    const waiting = [gateway.call("flood"), gateway.call("flood"), gateway.call("flood")];
    await vi.waitFor(() => expect(gateway.deps.calls.load("flood").queued).toBe(3));
    const refused = await gateway.call("flood");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect((await problem(refused)).code).toBe("no_capacity");
    waiting.push(gateway.call("other"));
    await vi.waitFor(() => expect(gateway.deps.calls.load("other").queued).toBe(1));
    expect((await gateway.call("other")).status).toBe(503);
    expect(performance.now() - began).toBeLessThan(1_500);
    for (const answer of await Promise.all(waiting)) expect((await problem(answer)).code).toBe("no_capacity");
    await vi.waitFor(async () => expect(await gateway.deps.producer.waiting("invoke")).toBe(0));
    expect(gateway.deps.calls.list()).toEqual([]);
  });

  it("are taken back when their caller goes away", async () => {
    const { request } = rawRequest(gateway.port, "/fn/flood");
    request.on("error", () => {});
    request.end();
    await vi.waitFor(async () => expect(await gateway.deps.producer.waiting("invoke")).toBe(1));
    request.destroy();
    await vi.waitFor(async () => expect(await gateway.deps.producer.waiting("invoke")).toBe(0));
  });

  it("are refused at once when Redis is away, and the gateway is not ready then", async () => {
    await gateway.redis.kill();
    const began = performance.now();
    const answer = await gateway.call("flood");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("2");
    expect((await problem(answer)).code).toBe("unavailable");
    expect(performance.now() - began).toBeLessThan(1_000);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect(gateway.deps.calls.list()).toEqual([]);
  });
});
