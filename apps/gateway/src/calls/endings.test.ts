import { setTimeout as sleep } from "node:timers/promises";
import { FRAME } from "@mayfly/contract";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { KEY, problemOf as problem, rawRequest, startGateway, type TestGateway } from "../testing/gateway.ts";
import { echo, head, untilCut } from "../testing/worker.ts";

const bytes = (text: string) => Buffer.from(text);

describe("a call", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
    await gateway.define("hello");
    await gateway.define("brief", { timeout_ms: 300 });
  });
  afterEach(() => {
    gateway.worker.behave = echo;
    gateway.worker.billing = true;
  });
  afterAll(() => gateway.close());

  it.each([
    ["function_error", 500],
    ["function_crashed", 502],
    ["out_of_memory", 502],
    ["bad_response", 502],
    ["response_too_large", 502],
    ["timeout", 504],
    ["no such code", 500],
  ])("that ends as %s is answered with %i", async (code, status) => {
    gateway.worker.behave = (channel) => channel.sendJson(FRAME.ERROR, { code, message: "swordfish" });
    const answer = await gateway.call("hello");
    expect(answer.status).toBe(status);
    const id = answer.headers.get("mayfly-invocation");
    expect(await problem(answer)).toMatchObject({ status, invocation: id, instance: `/v1/invocations/${id}` });
  });

  it("tells what the function threw to who has the key, and to nobody else", async () => {
    gateway.worker.behave = (channel) =>
      channel.sendJson(FRAME.ERROR, { code: "function_error", message: "swordfish" });
    expect(JSON.stringify(await problem(await gateway.call("hello")))).not.toContain("swordfish");
    const told = await gateway.call("hello", { headers: { authorization: `Bearer ${KEY}` } });
    expect((await problem(told)).detail).toBe("swordfish");
  });

  it("whose worker is lost before the answer is 502, and is not run again", async () => {
    gateway.worker.billing = false;
    gateway.worker.behave = async (channel) => channel.destroy();
    const claims = gateway.worker.claims.length;
    const answer = await gateway.call("hello");
    expect(answer.status).toBe(502);
    expect((await problem(answer)).code).toBe("worker_lost");
    await sleep(300);
    expect(gateway.worker.claims.length).toBe(claims + 1);
  });

  it("whose worker is lost in the middle of the answer is cut, not ended", async () => {
    gateway.worker.billing = false;
    gateway.worker.behave = async (channel) => {
      await head(channel, 200);
      await channel.send(FRAME.DATA, bytes("half"));
      await sleep(50);
      channel.destroy();
    };
    await expect(gateway.call("hello").then((answer) => answer.text())).rejects.toThrow();
  });

  it("whose worker talks nonsense is 502", async () => {
    for (const frame of [FRAME.DATA, FRAME.READY] as const) {
      gateway.worker.behave = (channel) => channel.send(frame, bytes("nonsense"));
      expect((await problem(await gateway.call("hello"))).code).toBe("bad_response");
    }
    gateway.worker.behave = (channel) => channel.send(FRAME.HEAD, bytes("no json"));
    expect((await problem(await gateway.call("hello"))).code).toBe("bad_response");
    gateway.worker.behave = (channel) => head(channel, 101);
    expect((await problem(await gateway.call("hello"))).code).toBe("bad_response");
  });

  it("ends for the worker when its caller goes away, while it waits and while it sends", async () => {
    gateway.worker.behave = (channel) => untilCut(channel);
    for (const body of [undefined, "half"]) {
      const cut = gateway.worker.cut.length;
      const { request } = rawRequest(gateway.port, "/fn/hello", { method: "POST" });
      request.on("error", () => {});
      if (body) request.write(body);
      else request.end();
      await vi.waitFor(() => expect(gateway.deps.calls.load("hello").running).toBe(1));
      request.destroy();
      await vi.waitFor(() => expect(gateway.worker.cut.length).toBe(cut + 1));
      expect(gateway.deps.calls.load()).toEqual({ queued: 0, running: 0 });
    }
  });

  it("of which its worker says nothing is 504 soon after the deadline", async () => {
    gateway.worker.behave = (channel) => untilCut(channel);
    const began = performance.now();
    const answer = await gateway.call("brief");
    expect(answer.status).toBe(504);
    expect(performance.now() - began).toBeGreaterThan(300);
    expect(performance.now() - began).toBeLessThan(4_000);
  });
});
