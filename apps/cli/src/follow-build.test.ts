import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { followBuild } from "./follow-build.ts";

const record = (seq: number, rest: object) => `${JSON.stringify({ ts: "", seq, ...rest })}\n`;
const DONE = { step: "result", status: "done", version: 1, url: "http://s/fn/a" };

/** What a server that dies does cannot be asked of one that lives: these answers are those of the gateway, cut. */
describe("a build's log", () => {
  let server: Server;
  let client: Client;
  let log: (answer: ServerResponse) => void;
  let shown: { status: string; version: number | null; error: object | null };
  let asked: number;
  beforeEach(async () => {
    asked = 0;
    server = createServer((request, answer) => {
      if (request.method === "PUT") return log(answer);
      asked += 1;
      // The gateway comes back at the third time.
      if (asked < 3) return void answer.destroy();
      answer.end(JSON.stringify({ id: "bld_1", function: "a", ...shown }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    client = new Client({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: null });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const follow = async () => followBuild(client, await client.ok("/v1/functions/a", { method: "PUT" }), () => {});
  const begun = (answer: ServerResponse) => {
    answer.writeHead(200, { location: "/v1/builds/bld_1", "content-type": "application/x-ndjson" });
    answer.write(record(1, { step: "bundle", status: "start" }));
  };

  it("ends with the record that says how", async () => {
    log = (answer) => {
      begun(answer);
      answer.end(record(2, DONE));
    };
    expect(await follow()).toMatchObject(DONE);
    expect(asked).toBe(0);
  });

  it("that has nothing to tell yet is said to wait, once", async () => {
    let waits = 0;
    log = (answer) => {
      answer.writeHead(200, { location: "/v1/builds/bld_1", "content-type": "application/x-ndjson" });
      answer.flushHeaders();
      setTimeout(() => answer.end(record(1, DONE)), 2_300);
    };
    const response = await client.ok("/v1/functions/a", { method: "PUT" });
    expect(
      await followBuild(
        client,
        response,
        () => {},
        () => (waits += 1),
      ),
    ).toMatchObject(DONE);
    expect(waits).toBe(1);
    log = (answer) => {
      begun(answer);
      answer.end(record(2, DONE));
    };
    await follow();
  });

  it("that breaks off is asked for until the server is back", async () => {
    log = (answer) => {
      begun(answer);
      setTimeout(() => answer.destroy(), 20);
    };
    shown = { status: "done", version: 4, error: null };
    expect(await follow()).toMatchObject({ status: "done", version: 4, url: `${client.url}/fn/a` });
  });

  it("that ends without a result is asked for, too, and may be a failure", async () => {
    log = (answer) => {
      begun(answer);
      answer.end();
    };
    shown = { status: "failed", version: null, error: { code: "build_failed", message: "line 3" } };
    expect(await follow()).toMatchObject({ status: "error", error: { code: "build_failed", message: "line 3" } });
  });
});
