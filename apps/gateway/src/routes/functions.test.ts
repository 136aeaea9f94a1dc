import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../testing/gateway.ts";

describe("functions", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
    for (const name of ["a", "b", "c"]) await gateway.define(name);
    await gateway.define("c", { env: { A: "1" } });
  });
  afterAll(() => gateway.close());

  const send = (path: string, method: string, body?: string) =>
    gateway.api(path, { method, ...(body === undefined ? {} : { body }) });

  it("are listed by name, page by page", async () => {
    const first = await gateway.json("/v1/functions?limit=2");
    expect(first).toMatchObject({ functions: [{ function: "a" }, { function: "b" }], cursor: "b" });
    const second = await gateway.json(`/v1/functions?limit=2&cursor=${first.cursor}`);
    expect(second).toMatchObject({ functions: [{ function: "c", version: 2 }], cursor: null });
    expect((await gateway.api("/v1/functions?limit=0")).status).toBe(400);
  });

  it("are shown with settings and aliases; what is not there is 404", async () => {
    expect(await gateway.json("/v1/functions/c")).toMatchObject({
      function: "c",
      version: 2,
      contract: "fetch",
      url: "/fn/c",
      settings: { memory_bytes: 134217728, env: { A: "1" } },
      aliases: { live: { version: 2, previous: 1 } },
    });
    for (const path of [
      "functions/none",
      "functions/none/versions",
      "functions/c/versions/9",
      "functions/c/versions/x",
    ])
      expect((await gateway.api(`/v1/${path}`)).status, path).toBe(404);
  });

  it("have versions that stay", async () => {
    const { versions } = (await gateway.json("/v1/functions/c/versions")) as { versions: { version: number }[] };
    expect(versions.map(({ version }) => version)).toEqual([2, 1]);
    expect(await gateway.json("/v1/functions/c/versions/1")).toMatchObject({ version: 1, settings: { env: {} } });
  });

  it("get other settings as a new version, from a query or a JSON object; the same settings are no new one", async () => {
    await gateway.define("s");
    const patched = await send("/v1/functions/s?memory=256MiB", "PATCH", '{"timeout":"5s","env":{"B":"2"}}');
    expect(patched.status).toBe(200);
    expect(await patched.json()).toMatchObject({
      version: 2,
      settings: { memory_bytes: 268435456, timeout_ms: 5000, env: { B: "2" } },
    });
    expect(await (await send("/v1/functions/s?memory=256Mi", "PATCH")).json()).toMatchObject({ version: 2 });
    expect(await (await send("/v1/functions/s?memory=128Mi&timeout=30s&env.B=", "PATCH")).json()).toMatchObject({
      version: 3,
    });
  });

  it("go back to a default, and lose a variable, by null", async () => {
    await gateway.define("n", { env: { A: "1", B: "2" }, memory_bytes: 2 ** 28 });
    const patched = await send("/v1/functions/n", "PATCH", '{"memory":null,"env":{"A":null}}');
    expect(await patched.json()).toMatchObject({ version: 2, settings: { memory_bytes: 2 ** 27, env: { B: "2" } } });
    expect((await gateway.json("/v1/functions/n")).settings).toMatchObject({ env: { B: "2" } });
  });

  it.each([
    ["?memory=1", "", 422, "bad_setting"],
    ["?colour=red", "", 422, "bad_setting"],
    ["?network=host", "", 422, "bad_setting"],
    ["?contract=cgi", "", 422, "bad_setting"],
    ["?entry=other.ts", "", 422, "bad_setting"],
    ["?target=other", "", 422, "bad_setting"],
    ["?build-arg.A=1", "", 422, "bad_setting"],
    ["?env.MAYFLY_X=1", "", 422, "bad_setting"],
    ["", "{", 400, "bad_request"],
    ["", "[1]", 400, "bad_request"],
    ["", '{"env":{"A":{"B":"1"}}}', 422, "bad_setting"],
    ["", '{"env":["A"]}', 422, "bad_setting"],
    ["", '{"pids":[64]}', 422, "bad_setting"],
  ])("refuse settings %s %s", async (query, body, status, code) => {
    const answer = await send(`/v1/functions/a${query}`, "PATCH", body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
    expect(await gateway.json("/v1/functions/a")).toMatchObject({ version: 1 });
  });

  it("refuse settings that are too many to be read", async () => {
    const answer = await send("/v1/functions/a", "PATCH", `{"label":{"x":"${"y".repeat(300_000)}"}}`);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: "body_too_large", limit_bytes: 256 * 1024 });
  });

  it("have aliases that are pointed, and pointed back", async () => {
    expect(await (await send("/v1/functions/c/aliases/live", "PUT", '{"version":1}')).json()).toMatchObject({
      alias: "live",
      version: 1,
      previous: 2,
    });
    expect(await (await send("/v1/functions/c/aliases/live/rollback", "POST")).json()).toMatchObject({ version: 2 });
    expect((await send("/v1/functions/c/aliases/new", "PUT", '{"version":2}')).status).toBe(200);
    expect((await send("/v1/functions/c/aliases/new/rollback", "POST")).status).toBe(409);
    expect((await send("/v1/functions/c/aliases/none/rollback", "POST")).status).toBe(404);
  });

  it.each([
    ["live", '{"version":9}', 404],
    ["live", "{}", 422],
    ["live", '{"version":"1"}', 422],
    ["live", "no json", 400],
    ["live", '{"version":1,"weights":{"2":0.5}}', 422],
    ["7", '{"version":1}', 422],
    ["UPPER", '{"version":1}', 422],
  ])("refuse the alias %s with %s", async (alias, body, status) => {
    expect((await send(`/v1/functions/c/aliases/${alias}`, "PUT", body)).status).toBe(status);
    expect(await gateway.json("/v1/functions/c")).toMatchObject({ version: 2 });
  });

  it("are gone when they are deleted, and 404 the second time", async () => {
    expect((await send("/v1/functions/b", "DELETE")).status).toBe(204);
    expect((await send("/v1/functions/b", "DELETE")).status).toBe(404);
    expect((await gateway.call("b")).status).toBe(404);
  });
});
