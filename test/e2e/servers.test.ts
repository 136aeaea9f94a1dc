import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

/** An image whose program serves HTTP. */
const SERVER = `FROM mayfly/node:24
WORKDIR /srv
ENV GREETING=hello
RUN ["node", "-e", "require('fs').writeFileSync('/srv/made', 'by ' + process.getuid())"]
COPY <<"server.js" /srv/
const { createServer } = require("node:http");
const { readFileSync, writeFileSync, existsSync } = require("node:fs");
createServer(async (request, response) => {
  const url = new URL(request.url, "http://x");
  if (url.pathname === "/big") return response.end(Buffer.alloc(8 << 20, 7));
  if (url.pathname === "/half") { response.writeHead(200, { "content-length": 100 }); response.write("half"); return setTimeout(() => process.exit(3), 50); }
  if (url.pathname === "/stuck") return;
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  const left = existsSync("/tmp/left");
  writeFileSync("/tmp/left", "x");
  console.log("asked for", request.url);
  response.setHeader("x-twice", ["a", "b"]);
  response.end(JSON.stringify({ method: request.method, url: request.url, bytes, left, made: readFileSync("/srv/made", "utf8"), uid: process.getuid(),
    cwd: process.cwd(), greeting: process.env.GREETING, custom: process.env.CUSTOM, invocation: request.headers["mayfly-invocation"], host: request.headers.host }));
}).listen(process.env.PORT, "127.0.0.1");
server.js
USER 1000
CMD ["node", "server.js"]
`;
const program = (body: string) => `FROM mayfly/node:24\nCMD ["node", "-e", ${JSON.stringify(body)}]\n`;

let mayfly: System;
beforeAll(async () => {
  mayfly = await startSystem();
  const answer = await mayfly.deploy("web", SERVER, "env.CUSTOM=yes&timeout=5s");
  expect(answer.status, await answer.clone().text()).toBe(201);
  expect(await answer.json()).toMatchObject({ contract: "http" });
}, 300_000);
afterAll(() => mayfly?.stop());

describe("an image that serves HTTP on $PORT", () => {
  it("is called by its URL, in a fresh box each time, as its Dockerfile says, and billed", async () => {
    for (let call = 0; call < 5; call += 1) {
      const answer = await mayfly.call("web/a/b?c=d", { method: "POST", body: "x".repeat(100_000) });
      expect(answer.headers.get("x-twice")).toBe("a, b");
      const id = answer.headers.get("mayfly-invocation");
      expect(await answer.json()).toEqual({
        ...{ method: "POST", url: "/a/b?c=d", bytes: 100_000, left: false, made: "by 1000", uid: 1000, cwd: "/srv" },
        ...{ greeting: "hello", custom: "yes", invocation: id, host: expect.stringContaining("127.0.0.1") },
      });
      const record = await mayfly.record(id!);
      expect(record).toMatchObject({ status: "succeeded", http_status: 200 });
      expect(record.bill.usage).toMatchObject({ request_bytes: 100_000, cpu_us: expect.any(Number) });
      expect(await mayfly.log(id!)).toContain("asked for /a/b?c=d");
    }
  });

  it("answers without a body where there is none, and with 8 MiB", async () => {
    expect(await (await mayfly.call("web/x")).json()).toMatchObject({ method: "GET", bytes: 0 });
    expect((await mayfly.call("web/x", { method: "HEAD" })).status).toBe(200);
    const big = Buffer.from(await (await mayfly.call("web/big")).arrayBuffer());
    expect(big.equals(Buffer.alloc(8 << 20, 7))).toBe(true);
  });

  it("has a record of a call whose server ended while it waited for it", async () => {
    const leaves =
      "require('http').createServer((q, s) => s.end('x')).listen(8080); setTimeout(() => process.exit(5), 300)";
    expect((await mayfly.deploy("leaves", program(leaves))).status).toBe(201);
    for (let call = 0; call < 4; call += 1) {
      const answer = await mayfly.call("leaves");
      await answer.text();
      expect([200, 502]).toContain(answer.status);
      expect((await mayfly.record(answer)).bill.lines.length).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  });

  it("that dies in the middle of its answer, or gives none, has failed", async () => {
    const half = await mayfly.call("web/half");
    await expect(half.text()).rejects.toThrow();
    expect(await mayfly.record(half)).toMatchObject({ error: { code: "bad_response" } });
    const stuck = await mayfly.call("web/stuck");
    expect([stuck.status, ((await stuck.json()) as { code: string }).code]).toEqual([504, "timeout"]);
  });

  it.each([
    ["never listens", "setInterval(() => {}, 1000)", /nothing listened on port 8080 or asked .* within 20 s/],
    ["ends before", "console.error('no database'); process.exit(4)", /exit.*4.*before it listened on port 8080/],
  ])("and %s is no version, and is told why", { timeout: 60_000 }, async (_, body, message) => {
    const answer = await mayfly.deploy("wrong", program(body));
    expect(answer.status).toBe(422);
    const problem = (await answer.json()) as { code: string; detail: string; hint: string };
    expect(problem).toMatchObject({ code: "handler_not_found", hint: expect.stringContaining("$PORT") });
    expect(problem.detail).toMatch(message);
  });

  it("is refused as a contract for code", async () => {
    const answer = await mayfly.deploy("code", "export default () => new Response('x')", "contract=http");
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain("contract=http cannot be built from code");
  });
});

/** A context whose Dockerfile is `dockerfile`, with what `fill` puts beside it. */
function contextOf(dockerfile: string, fill: (dir: string) => void): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "mayfly-context-"));
  try {
    writeFileSync(join(dir, "Dockerfile"), dockerfile);
    fill(dir);
    return execFileSync("tar", ["-C", dir, "-c", "."], { maxBuffer: 64 << 20 });
  } finally {
    rmSync(dir, { recursive: true });
  }
}
const TAR = { "content-type": "application/x-tar" };

describe("an image FROM scratch", () => {
  it("that holds one static binary serves HTTP: what it lacks for a box is made", async () => {
    const source = resolve(import.meta.dirname, "../../docs/examples/static-c/server.c");
    const dockerfile =
      'FROM scratch\nCOPY server /server\nWORKDIR /not/there\nUSER 65534:65534\nENTRYPOINT ["/server"]\n';
    const context = contextOf(dockerfile, (dir) => execFileSync("gcc", ["-static", "-o", join(dir, "server"), source]));
    const deployed = await mayfly.deploy("static", context, "", TAR);
    expect(await deployed.json()).toMatchObject({ contract: "http" });
    for (let call = 0; call < 2; call += 1) {
      const answer = await mayfly.call("static/a?b=c");
      expect(await answer.text()).toBe("call 1 of this process: GET /a?b=c HTTP/1.1\n");
      expect(await mayfly.record(answer)).toMatchObject({ status: "succeeded", bill: { usage: { oom_kills: 0 } } });
    }
  });

  it("that holds a shell and a script is a CGI program", async () => {
    const script = `#!/bin/sh\necho "asked for $PATH_INFO" >&2\nprintf 'Status: 202 Taken\\nX-Mine: yes\\n\\n'\n[ -e seen ] && echo again\n: > seen\necho "$(pwd) $(id -u) $QUERY_STRING"\nsort\n`;
    const dockerfile =
      'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nCOPY --chmod=755 hello.sh /cgi/\nWORKDIR /tmp\nRUN chmod 1777 /tmp\nUSER 1000\nENTRYPOINT ["/cgi/hello.sh"]\n';
    const context = contextOf(dockerfile, (dir) => {
      copyFileSync("/bin/busybox", join(dir, "busybox"));
      writeFileSync(join(dir, "hello.sh"), script);
    });
    const deployed = await mayfly.deploy("shell", context, "contract=cgi", TAR);
    expect(await deployed.json()).toMatchObject({ contract: "cgi" });
    for (let call = 0; call < 2; call += 1) {
      const answer = await mayfly.call("shell/p?q", { method: "POST", body: "b\na\n" });
      expect([answer.status, answer.headers.get("x-mine"), await answer.text()]).toEqual([
        202,
        "yes",
        "/tmp 1000 q\na\nb\n",
      ]);
      expect(await mayfly.log((await mayfly.record(answer)).id)).toContain("asked for /p");
    }
  });
});

describe("an image whose program is a CGI script", () => {
  const CGI = `FROM mayfly/node:24
COPY <<"cgi.js" /
let body = ""; process.stdin.on("data", (part) => body += part).on("end", () => {
  if (process.env.QUERY_STRING === "fail") { process.stdout.write("A: b\\n\\nhalf"); process.exitCode = 3; return; }
  if (process.env.QUERY_STRING === "plain") { process.stdout.write("no head at all"); return; }
  const { REQUEST_METHOD, PATH_INFO, QUERY_STRING, CONTENT_LENGTH, HTTP_X_MINE } = process.env;
  console.error("to the log");
  console.log("Status: 201 Made\\nContent-Type: application/json\\n");
  console.log(JSON.stringify({ REQUEST_METHOD, PATH_INFO, QUERY_STRING, CONTENT_LENGTH, HTTP_X_MINE, body }));
});
cgi.js
ENTRYPOINT ["node", "/cgi.js"]
`;
  beforeAll(async () => {
    const answer = await mayfly.deploy("script", CGI, "contract=cgi");
    expect(answer.status, await answer.clone().text()).toBe(201);
  }, 60_000);

  it("has its request in its environment and on standard input; its output is the answer, its errors the log", async () => {
    for (let call = 0; call < 3; call += 1) {
      const answer = await mayfly.call("script/p/q?r=s", {
        method: "POST",
        body: "hello",
        headers: { "x-mine": "yes" },
      });
      expect(answer.status).toBe(201);
      expect(await answer.json()).toEqual({
        ...{ REQUEST_METHOD: "POST", PATH_INFO: "/p/q", QUERY_STRING: "r=s", CONTENT_LENGTH: "5", HTTP_X_MINE: "yes" },
        body: "hello",
      });
      const record = await mayfly.record(answer);
      expect(record).toMatchObject({ status: "succeeded", http_status: 201 });
      expect(await mayfly.log(record.id)).toContain("to the log");
    }
  });

  it("answers without a head, and has failed when it ends with another code than 0", async () => {
    const plain = await mayfly.call("script?plain");
    expect([await plain.text(), plain.headers.get("content-type")]).toEqual([
      "no head at all",
      "text/plain; charset=utf-8",
    ]);
    const failed = await mayfly.call("script?fail");
    await expect(failed.text()).rejects.toThrow();
    expect(await mayfly.record(failed)).toMatchObject({ error: { code: "function_crashed" } });
  });
});
