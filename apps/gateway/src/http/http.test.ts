import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY, problemOf, rawRequest, startGateway, type TestGateway, textOf } from "../testing/gateway.ts";

const ROUTES: [string, string][] = [
  ["GET", "/v1/functions"],
  ["GET", "/v1/functions/hello"],
  ["PUT", "/v1/functions/hello"],
  ["PATCH", "/v1/functions/hello"],
  ["DELETE", "/v1/functions/hello"],
  ["GET", "/v1/functions/hello/versions"],
  ["GET", "/v1/functions/hello/versions/1"],
  ["PUT", "/v1/functions/hello/aliases/live"],
  ["POST", "/v1/functions/hello/aliases/live/rollback"],
  ["GET", "/v1/builds/x"],
  ["GET", "/v1/builds/x/log"],
  ["DELETE", "/v1/builds/x"],
  ["GET", "/v1/invocations"],
  ["GET", "/v1/invocations/x"],
  ["GET", "/v1/invocations/x/log"],
  ["DELETE", "/v1/invocations/x"],
  ["GET", "/v1/bills"],
  ["GET", "/v1/usage"],
  ["GET", "/v1/limits"],
  ["GET", "/v1/pricing"],
  ["GET", "/v1/nothing"],
];

describe("the HTTP side", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
    await gateway.define("hello");
  });
  afterAll(() => gateway.close());

  /** Sends bytes as they are; the answer until the connection closes. */
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(gateway.port, "127.0.0.1");
      let answer = "";
      socket.setEncoding("latin1").on("data", (chunk) => {
        answer += chunk;
      });
      socket.once("close", () => resolve(answer));
      socket.once("error", reject);
      socket.write(text);
    });

  it.each(ROUTES)("refuses %s %s without the key, and with a wrong one", async (method, path) => {
    for (const authorization of ["", "Bearer", `Bearer ${KEY}x`, `Bearer ${KEY.slice(1)}`, `Basic ${KEY}`, KEY]) {
      const answer = await fetch(`${gateway.url}${path}`, { method, headers: { authorization } });
      expect(answer.status, authorization).toBe(401);
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(await answer.json()).toMatchObject({ status: 401, code: "unauthorized" });
    }
    expect((await gateway.json("/v1/functions")).functions).toHaveLength(1);
  });

  it("takes the key whatever the case of its scheme", async () => {
    const headers = { authorization: `bearer ${KEY}` };
    expect((await fetch(`${gateway.url}/v1/functions`, { headers })).status).toBe(200);
  });

  it.each([
    "//v1/functions",
    "/v1//functions",
    "/V1/functions",
    "/%76%31/functions",
    "/v1%2Ffunctions",
    "/v1/%66unctions",
    "/v1/./functions",
    "/x/../v1/functions",
    "/fn/../v1/functions",
    "/fn/hello/../../v1/functions",
    "/fn/hello/..%2f..%2fv1/functions",
    "/v1/functions/",
    "/v1;x/functions",
    "/v1\\functions",
    "http://127.0.0.1/v1/functions",
    "http://evil/fn/../v1/functions",
  ])("does not let %s pass without the key", async (path) => {
    const { request, answer } = rawRequest(gateway.port, path);
    request.end();
    const { statusCode, headers } = await answer;
    const text = await textOf(await answer);
    expect(text).not.toContain('"functions"');
    if (path.startsWith("/fn/hello/")) return expect(headers["seen-target"]).toBe(path.slice("/fn/hello".length));
    expect([400, 401, 404]).toContain(statusCode);
    expect(headers["content-type"]).toBe("application/problem+json");
  });

  it.each([
    ["two lengths", "POST /fn/hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "a length beside chunks",
      "POST /fn/hello HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [
      "two codings",
      "POST /fn/hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
    ],
    ["a folded line", "GET /fn/hello HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n"],
    ["a blank before the colon", "GET /fn/hello HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\nx"],
    ["no host", "GET /fn/hello HTTP/1.1\r\n\r\n"],
    ["no HTTP", "hello\r\n\r\n"],
    ["headers of 20 KiB", `GET /fn/hello HTTP/1.1\r\nHost: a\r\nX-A: ${"x".repeat(20_000)}\r\n\r\n`],
  ])("refuses a request with %s and closes", async (_, text) => {
    const { length: claims } = gateway.worker.claims;
    const answer = await raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(gateway.worker.claims).toHaveLength(claims);
  });

  it("says what is wrong with a request that is no HTTP, or has no host", async () => {
    const hostless = await raw("GET /healthz HTTP/1.1\r\n\r\n");
    expect(hostless).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*has no Host/s);
    expect(await raw("GET /healthz HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await raw("hello\r\n\r\n")).toMatch(/application\/problem\+json.*"code":"bad_request"/s);
  });

  it("answers an unknown path with 404 and a wrong method with 405 and what is allowed", async () => {
    const unknown = await gateway.api("/v3/nothing");
    expect([unknown.status, unknown.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    const wrong = await gateway.api("/v1/functions/hello", { method: "POST" });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("allow")?.split(", ").sort()).toEqual(["DELETE", "GET", "HEAD", "PATCH", "PUT"]);
    expect(await wrong.json()).toMatchObject({ code: "method_not_allowed" });
  });

  it("names in each problem what it is about: type, title, status, detail, code and the instance", async () => {
    for (const [path, status] of [
      ["/v1/functions?limit=0", 400],
      ["/v1/functions/none", 404],
      ["/v1/nothing", 404],
      ["/fn/none/x?y", 404],
    ] as const) {
      const instance = path.split("?")[0];
      const problem = await problemOf(await gateway.api(path));
      expect(problem, path).toMatchObject({ status, instance });
      for (const member of ["type", "title", "detail", "code"]) expect(problem[member], member).toBeTypeOf("string");
    }
  });

  it("does not pass TRACE to a function, and takes an expectation that it does not know for none", async () => {
    const { length: claims } = gateway.worker.claims;
    const trace = await raw("TRACE /fn/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(trace).toMatch(/^HTTP\/1\.1 405 [\s\S]*\r\nallow: GET, HEAD, POST/);
    expect(gateway.worker.claims).toHaveLength(claims);
    const expecting = await raw("GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: luck\r\nConnection: close\r\n\r\n");
    expect(expecting).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("shows limits, prices, health and readiness", async () => {
    expect(await gateway.json("/v1/limits")).toMatchObject({
      per_function: { memory_bytes: { min: 16 * 1024 * 1024, default: 128 * 1024 * 1024 } },
      fixed: { source_bytes: 64 * 1024 * 1024 },
      queue: { waiting_calls: 50 },
    });
    expect(await gateway.json("/v1/pricing")).toMatchObject({ id: "default", version: 1, currency: "USD" });
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${gateway.url}/readyz`)).json()).toMatchObject({ status: "ready", workers: 1 });
    expect((await fetch(gateway.url)).status).toBe(200);
  });

  it("hides what failed inside of it, and keeps it in its log", async () => {
    const { log } = gateway.deps;
    const logged: unknown[] = [];
    const { error } = log;
    log.error = ((...args: unknown[]) => void logged.push(args)) as typeof error;
    const { functions } = gateway.deps.catalog;
    gateway.deps.catalog.functions = async () => {
      throw new Error("the disk is on fire at /secret/place");
    };
    const answer = await gateway.api("/v1/functions");
    gateway.deps.catalog.functions = functions;
    log.error = error;
    expect(answer.status).toBe(500);
    const text = await answer.text();
    expect(text).not.toContain("fire");
    const reference = /as ([0-9a-f-]{36})/.exec(text)?.[1];
    expect(JSON.stringify(logged)).toContain(reference);
  });
});
