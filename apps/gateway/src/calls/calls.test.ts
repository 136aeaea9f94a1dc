import { setTimeout as sleep } from "node:timers/promises";
import { FRAME, newInvocationId } from "@mayfly/contract";
import { connectChannel } from "@mayfly/queue";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { KEY, problemOf as problem, rawRequest, startGateway, type TestGateway, textOf } from "../testing/gateway.ts";
import { bodyOf, echo, head } from "../testing/worker.ts";

const bytes = (text: string) => Buffer.from(text);

describe("a call", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
    await gateway.define("hello");
    await gateway.define("brief", { timeout_ms: 300 });
    await gateway.define("closed", { access: "key" });
    await gateway.define("narrow", { concurrency: 1 });
  });
  afterEach(() => {
    gateway.worker.behave = echo;
    gateway.worker.billing = true;
  });
  afterAll(() => gateway.close());

  it("reaches the function with its method, path, query, headers and body, and comes back with them", async () => {
    const answer = await gateway.call("hello/a%2Fb//c?x=1&x=%20", {
      method: "REPORT",
      headers: { "x-own": "ü".normalize("NFD").slice(0, 1), authorization: "Basic dTpw" },
      body: "some body",
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("some body");
    expect(answer.headers.get("seen-method")).toBe("REPORT");
    expect(answer.headers.get("seen-target")).toBe("/a%2Fb//c?x=1&x=%20");
    expect(answer.headers.get("seen-x-own")).toBe("u");
    expect(answer.headers.get("seen-authorization")).toBe("Basic dTpw");
    expect(answer.headers.get("seen-x-forwarded-prefix")).toBe("/fn/hello");
    expect(answer.headers.get("seen-x-forwarded-host")).toBe(`127.0.0.1:${gateway.port}`);
    expect(answer.headers.get("seen-x-forwarded-for")).toBe("127.0.0.1");
  });

  it("is named in its answer, with its version, its timing and the way to its bill", async () => {
    gateway.worker.behave = async (channel) => {
      await head(channel, 201, [
        ["x-mayfly-timing", "queue;dur=1.0, box;dur=2.0"],
        ["mayfly-invocation", "forged"],
      ]);
      await channel.send(FRAME.END);
    };
    const answer = await gateway.call("hello");
    const id = answer.headers.get("mayfly-invocation")!;
    expect(answer.status).toBe(201);
    expect(id).toMatch(/^inv_[0-9a-f]{32}$/);
    expect(answer.headers.get("mayfly-version")).toBe("1");
    expect(answer.headers.get("server-timing")).toBe("queue;dur=1.0, box;dur=2.0");
    expect(answer.headers.get("x-mayfly-timing")).toBe(null);
    expect(answer.headers.get("link")).toBe(`</v1/invocations/${id}>; rel="describedby"`);
  });

  it("passes nothing of its connection on, and neither believes nor loses what proxies said", async () => {
    const { request, answer } = rawRequest(gateway.port, "/fn/hello", {
      headers: {
        connection: "x-secret, close",
        "x-secret": "1",
        te: "trailers",
        "proxy-authorization": "Basic x",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "https",
        traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
      },
    });
    request.end();
    const { headers } = await answer;
    (await answer).resume();
    for (const name of ["connection", "x-secret", "te", "proxy-authorization"])
      expect(headers[`seen-${name}`], name).toBeUndefined();
    expect(headers["seen-x-forwarded-for"]).toBe("203.0.113.9, 127.0.0.1");
    expect(headers["seen-x-forwarded-proto"]).toBe("http");
    expect(headers["seen-traceparent"]).toBe(`00-${"1".repeat(32)}-${"2".repeat(16)}-01`);
  });

  it("gets a trace when it has none", async () => {
    const answer = await gateway.call("hello");
    expect(answer.headers.get("seen-traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it("with Mayfly's key does not show the key to the function", async () => {
    const answer = await gateway.call("closed", { headers: { authorization: `Bearer ${KEY}` } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("seen-authorization")).toBe(null);
  });

  it("of a closed function needs the key", async () => {
    const answer = await gateway.call("closed", { headers: { authorization: "Bearer wrong" } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect((await problem(answer)).code).toBe("unauthorized");
  });

  it("of what does not exist is 404 at once", async () => {
    for (const path of ["none", "hello@7", "hello@staging", "Hello", "hello@", ""])
      expect((await problem(await gateway.call(path))).code, path).toBe("not_found");
  });

  it("may name a version or an alias", async () => {
    await gateway.define("twice");
    await gateway.define("twice");
    await gateway.api("/v1/functions/twice/aliases/old", { method: "PUT", body: '{"version":1}' });
    const version = async (path: string) => {
      const answer = await gateway.call(path);
      await answer.text();
      return answer.headers.get("mayfly-version");
    };
    expect(await version("twice")).toBe("2");
    expect(await version("twice@1/x")).toBe("1");
    expect(await version("twice@old?y")).toBe("1");
    expect(await version("twice@live")).toBe("2");
  });

  it("over the function's concurrency is refused at once, and is taken when there is room again", async () => {
    let release = () => {};
    gateway.worker.behave = async (channel, job) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      await echo(channel, job);
    };
    const first = gateway.call("narrow");
    await vi.waitFor(() => expect(gateway.deps.calls.load("narrow").running).toBe(1));
    const refused = await gateway.call("narrow");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await problem(refused)).code).toBe("concurrency_limited");
    release();
    expect(await (await first).text()).toBe("");
    gateway.worker.behave = echo;
    await vi.waitFor(async () => expect((await gateway.call("narrow")).status).toBe(200));
  });

  it("streams both ways at the same time", async () => {
    const { request, answer } = rawRequest(gateway.port, "/fn/hello", { method: "POST" });
    request.write("one");
    const reader = (await answer)[Symbol.asyncIterator]();
    expect(String((await reader.next()).value)).toBe("one");
    request.write("two");
    expect(String((await reader.next()).value)).toBe("two");
    request.end();
    expect((await reader.next()).done).toBe(true);
  });

  it("shows each event when it is sent", async () => {
    let next = () => {};
    gateway.worker.behave = async (channel) => {
      await head(channel, 200, [["content-type", "text/event-stream"]]);
      for (let n = 0; n < 3; n += 1) {
        await channel.send(FRAME.DATA, bytes(`data: ${n}\n\n`));
        await new Promise<void>((resolve) => {
          next = resolve;
        });
      }
      await channel.send(FRAME.END);
    };
    const answer = await gateway.call("hello");
    const decoder = new TextDecoder();
    let n = 0;
    for await (const chunk of answer.body!) {
      expect(decoder.decode(chunk)).toBe(`data: ${n}\n\n`);
      n += 1;
      next();
    }
    expect(n).toBe(3);
  });

  it("may be answered before its body is through: the caller gets the answer", async () => {
    gateway.worker.behave = async (channel) => {
      await head(channel, 409, [["content-length", "5"]]);
      await channel.send(FRAME.DATA, bytes("stop!"));
      await channel.send(FRAME.END);
    };
    const { request, answer } = rawRequest(gateway.port, "/fn/hello", {
      method: "POST",
      headers: { "content-length": String(64 * 1024 * 1024), connection: "keep-alive" },
    });
    request.on("error", () => {}); // Cut while it sends what nobody wants.
    const sending = setInterval(() => request.write(Buffer.alloc(256 * 1024)), 5);
    const got = await answer;
    expect(got.statusCode).toBe(409);
    expect(await textOf(got)).toBe("stop!");
    clearInterval(sending);
    request.destroy();
  });

  it("answers HEAD and 204 without a body, whatever the function sends", async () => {
    gateway.worker.behave = async (channel, job) => {
      await head(channel, job.head.method === "HEAD" ? 200 : 204, [["content-length", "3"]]);
      await channel.send(FRAME.DATA, bytes("abc"));
      await channel.send(FRAME.END);
    };
    const { request, answer } = rawRequest(gateway.port, "/fn/hello", { method: "HEAD" });
    request.end();
    const { statusCode, headers } = await answer;
    expect([statusCode, headers["content-length"], await textOf(await answer)]).toEqual([200, "3", ""]);
    expect(await (await gateway.call("hello")).text()).toBe("");
  });

  it("is not answered by half: more or fewer bytes than announced cut the connection", async () => {
    for (const length of ["1", "9"]) {
      gateway.worker.behave = async (channel) => {
        await head(channel, 200, [["content-length", length]]);
        await channel.send(FRAME.DATA, bytes("abc"));
        await channel.send(FRAME.END);
      };
      const { request, answer } = rawRequest(gateway.port, "/fn/hello");
      request.end();
      await expect(answer.then(textOf), length).rejects.toThrow();
    }
  });

  it("shows no header that is none: no second line, no second length, no name of ours", async () => {
    gateway.worker.behave = async (channel) => {
      await head(channel, 200, [
        ["x-good", "1"],
        ["x-split", "1\r\nset-cookie: a=b"],
        ["bad name", "1"],
        ["content-length", "1"],
        ["content-length", "2"],
        ["transfer-encoding", "gzip"],
        ["x-mayfly-other", "1"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ]);
      await channel.send(FRAME.DATA, bytes("abc"));
      await channel.send(FRAME.END);
    };
    const answer = await gateway.call("hello");
    expect(await answer.text()).toBe("abc");
    expect(answer.headers.get("x-good")).toBe("1");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    for (const name of ["x-split", "content-length", "x-mayfly-other"]) expect(answer.headers.get(name)).toBe(null);
  });

  it("is given to one worker, once", async () => {
    let id = "";
    let second: boolean | undefined;
    gateway.worker.behave = async (channel, job) => {
      id = job.invocation;
      const hello = { kind: "invocation", invocation: job.invocation, attempt: 1, host: "other" } as const;
      const again = await connectChannel(job.channel, hello);
      second = again.go.go;
      again.channel.destroy();
      await echo(channel, job);
    };
    expect((await gateway.call("hello")).status).toBe(200);
    expect(id).not.toBe("");
    expect(second).toBe(false);
    const hello = { kind: "invocation", invocation: newInvocationId(1), attempt: 1, host: "other" } as const;
    const unknown = await connectChannel(gateway.deps.channel, hello);
    expect(unknown.go.go).toBe(false);
    unknown.channel.destroy();
  });

  it("can be read in pieces that the function does not hurry, and slowly by the caller", async () => {
    gateway.worker.behave = async (channel) => {
      let size = 0;
      for await (const chunk of bodyOf(channel)) size += chunk.byteLength;
      await head(channel, 200);
      await channel.send(FRAME.DATA, bytes(String(size)));
      await channel.send(FRAME.END);
    };
    const { request, answer } = rawRequest(gateway.port, "/fn/hello", { method: "PUT" });
    for (let n = 0; n < 10; n += 1) {
      request.write(Buffer.alloc(1000));
      await sleep(5);
    }
    request.end();
    expect(await textOf(await answer)).toBe("10000");
  });
});
