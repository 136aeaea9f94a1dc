import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { type HttpRequest, send } from "./http.ts";

const NEVER = new AbortController().signal;
const MiB = 1024 * 1024;

async function serving(listener: RequestListener): Promise<{ url: URL; connections: () => number }> {
  let connections = 0;
  const server = createServer(listener).listen(0, "127.0.0.1");
  server.on("connection", () => {
    connections += 1;
  });
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    connections: () => connections,
  };
}

const asking = (url: URL, more: Partial<HttpRequest> = {}) =>
  send({ method: "GET", url, headers: {}, body: null, signal: NEVER, ...more });

it("one connection serves request after request, with bodies that stream and those that do not", async () => {
  const { url, connections } = await serving(async (request, response) => response.end(await buffer(request)));
  const pieces = async function* () {
    for (let at = 0; at < 40; at += 1) yield Buffer.alloc(MiB / 10, at);
  };
  const whole = await buffer(pieces());
  const headers = { "content-length": String(whole.byteLength) };
  for (const body of [pieces(), whole, pieces()]) {
    expect((await buffer(await asking(url, { method: "PUT", headers, body }))).equals(whole)).toBe(true);
  }
  expect(await text(await asking(url))).toBe("");
  expect(connections()).toBe(1);
});

it("an answer that comes before the body is sent is heard, the body is let be, and the next request is answered", async () => {
  const { url } = await serving((request, response) => {
    if (request.method === "PUT") response.writeHead(413).end("too much");
    else response.end("here");
  });
  let isClosed = false;
  const endless = async function* () {
    try {
      for (;;) yield Buffer.alloc(MiB);
    } finally {
      isClosed = true;
    }
  };
  const answer = await asking(url, { method: "PUT", headers: { "content-length": String(2 ** 40) }, body: endless() });
  expect([answer.statusCode, await text(answer)]).toEqual([413, "too much"]);
  await expect.poll(() => isClosed).toBe(true);
  expect(await text(await asking(url))).toBe("here");
});

it("a body that cannot be read ends the request with its own words", async () => {
  const { url } = await serving((request) => void request.resume());
  const failing = async function* () {
    yield Buffer.alloc(MiB);
    throw new Error("the blob is damaged");
  };
  const sent = asking(url, { method: "PUT", headers: { "content-length": String(2 * MiB) }, body: failing() });
  await expect(sent).rejects.toThrow("the blob is damaged");
});

it("whoever goes away ends it, before the answer and in its middle", async () => {
  const { url } = await serving((request, response) => {
    if (request.url === "/half") response.write("half");
  });
  const [before, middle] = [new AbortController(), new AbortController()];
  setTimeout(() => before.abort(), 20);
  await expect(asking(url, { signal: before.signal })).rejects.toThrow(/abort/i);
  const answer = await asking(new URL("/half", url), { signal: middle.signal });
  setTimeout(() => middle.abort(), 20);
  await expect(text(answer)).rejects.toThrow(/abort/i);
});
