import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Problem } from "@mayfly/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY, type System, startSystem } from "./system.ts";

let mayfly: System;
let dir: string;
beforeAll(async () => {
  mayfly = await startSystem();
  dir = mkdtempSync(join(tmpdir(), "mayfly-builds-"));
}, 300_000);
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await mayfly?.stop();
}, 60_000);

/** A folder of files as tar.gz, made by somebody else's tar. */
function tarball(
  name: string,
  files: Record<string, string>,
  links: Record<string, string> = {},
  args = ["-czf"],
): Buffer {
  const root = join(dir, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(root, path));
  return execFileSync("tar", ["-C", root, ...args, "-", "."], { maxBuffer: 64 << 20 });
}

const failed = async (answer: Response): Promise<Problem> => {
  expect(answer.status, await answer.clone().text()).toBe(422);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  return (await answer.json()) as Problem;
};

describe("a source that builds", () => {
  it("is one module, with types, by curl -T", async () => {
    const path = join(dir, "hello.ts");
    writeFileSync(path, "export default (r: Request): Response => new Response(`typed ${r.method as string}`);\n");
    const shown = execFileSync(
      "curl",
      ["-sS", "-H", `Authorization: Bearer ${KEY}`, "-T", path, `${mayfly.url}/v1/functions/curled?wait=60`],
      { encoding: "utf8" },
    );
    expect(JSON.parse(shown)).toMatchObject({
      function: "curled",
      version: 1,
      contract: "fetch",
      url: `${mayfly.url}/fn/curled`,
    });
    expect(await (await mayfly.call("curled")).text()).toBe("typed GET");
  });

  it.each([
    ["tar.gz", ["-czf"]],
    ["tar", ["-cf"]],
  ])("is a project as %s, with modules of its own", async (kind, args) => {
    const body = tarball(
      `project-${kind}`,
      {
        "src/index.ts":
          'import { greet } from "./greet";\nimport text from "./a.txt";\nexport default () => new Response(greet(text));',
        "src/greet.ts": "export const greet = (who: string) => `hi ${who}`;",
        "src/a.txt": "there",
      },
      {},
      args,
    );
    const name = `project-${kind.replace(".", "-")}`;
    expect((await mayfly.deploy(name, body)).status).toBe(201);
    expect(await (await mayfly.call(name)).text()).toBe("hi there");
  });

  it("is a project as zip", async () => {
    const root = join(dir, "zipped");
    mkdirSync(root);
    writeFileSync(
      join(root, "index.js"),
      'const { sep } = require("node:path"); module.exports = () => new Response("cjs " + sep);',
    );
    execFileSync("python3", ["-m", "zipfile", "-c", join(dir, "z.zip"), join(root, "index.js")]);
    const { readFileSync } = await import("node:fs");
    expect((await mayfly.deploy("zipped", readFileSync(join(dir, "z.zip")))).status).toBe(201);
    expect(await (await mayfly.call("zipped")).text()).toBe("cjs /");
  });

  it("is a form with settings beside it", async () => {
    const form = new FormData();
    form.set("config", JSON.stringify({ timeout: "5s", env: { WHO: "form" } }));
    form.set(
      "source",
      new Blob(["export default (r, env) => new Response(env.WHO)"], { type: "text/javascript" }),
      "index.js",
    );
    const answer = await mayfly.api("/v1/functions/formed?wait=60", { method: "PUT", body: form });
    expect([answer.status, await answer.json()]).toMatchObject([201, { settings: { timeout_ms: 5000 } }]);
    expect(await (await mayfly.call("formed")).text()).toBe("form");
  });

  it("makes no new version the second time, and a new one when a setting changes", async () => {
    const source = "export default () => new Response('same')";
    expect((await mayfly.deploy("same", source)).status).toBe(201);
    const again = await mayfly.deploy("same", source);
    expect([again.status, await again.json()]).toMatchObject([200, { version: 1, unchanged: true }]);
    const changed = await mayfly.deploy("same", source, "memory=64MiB");
    expect([changed.status, await changed.json()]).toMatchObject([
      200,
      { version: 2, settings: { memory_bytes: 67108864 } },
    ]);
  });

  it("shows its log as NDJSON while it is built, with the result last", async () => {
    const answer = await mayfly.api("/v1/functions/logged", {
      method: "PUT",
      body: "export default () => new Response('x')",
      headers: { accept: "application/x-ndjson" },
    });
    const records = (await answer.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.map((r) => r.step)).toContain("bundle");
    expect(records.at(-1)).toMatchObject({
      step: "result",
      status: "done",
      version: 1,
      url: `${mayfly.url}/fn/logged`,
    });
  });

  it("answers 202 with where to look when nobody waits", async () => {
    const answer = await mayfly.api("/v1/functions/later", {
      method: "PUT",
      body: "export default () => new Response('later')",
    });
    expect(answer.status).toBe(202);
    const build = await (await mayfly.api(`${answer.headers.get("location")}?wait=60`)).json();
    expect(build).toMatchObject({ status: "done", version: 1, usage: { cpu_us: expect.any(Number) } });
  });
});

describe("a source that does not build", () => {
  it("for its syntax is told file, line, column and excerpt", async () => {
    const problem = await failed(
      await mayfly.deploy("syntax", "const a = 1;\nexport default () => {\n  return new Response(;\n}\n"),
    );
    expect(problem.code).toBe("build_failed");
    expect(problem.locations).toMatchObject([{ file: "index.ts", line: 3, column: 23 }]);
    expect((problem.locations as { excerpt: string }[])[0]!.excerpt).toContain("return new Response(;");
  });

  it("for want of a handler is told what it exports", async () => {
    const problem = await failed(
      await mayfly.deploy("nothing", "export const answer = 42; export function helper() {}"),
    );
    expect(problem).toMatchObject({ code: "handler_not_found", exports: ["answer", "helper"] });
  });

  it("because it throws while it is loaded is told where", async () => {
    const problem = await failed(
      await mayfly.deploy("thrower", "export default () => new Response('x');\nthrow new Error('at load');"),
    );
    expect(problem.detail).toContain("at load");
    expect(problem.hint).toContain("index.ts:2");
  });

  it("for a dependency that is not there is told which and what to do", async () => {
    const problem = await failed(
      await mayfly.deploy("needs", 'import pad from "left-pad"; export default () => new Response(pad("x", 3));'),
    );
    expect([problem.detail, problem.hint]).toEqual([
      expect.stringContaining("left-pad"),
      expect.stringContaining("vendor"),
    ]);
  });

  it.each([
    [
      "imports /etc/passwd",
      'import text from "/etc/passwd" with { type: "text" }; export default () => new Response(text);',
    ],
    [
      "imports it by a relative path",
      'import text from "../../../../etc/passwd" with { type: "text" }; export default () => new Response(text);',
    ],
    ["requires /etc/hostname", 'export default () => new Response(require("/etc/hostname"));'],
  ])("because it %s gets an error, never bytes", async (_, source) => {
    const answer = await mayfly.deploy("outside", source);
    const text = await answer.clone().text();
    expect((await failed(answer)).detail).toContain("outside of the project");
    expect(text).not.toContain("root:");
  });

  it("because a link leads out of it gets an error, never bytes", async () => {
    const source = 'import text from "./passwd.txt"; export default () => new Response(text);';
    const absolute = await failed(
      await mayfly.deploy("linked", tarball("l1", { "index.js": source }, { "passwd.txt": "/etc/passwd" })),
    );
    expect(absolute.detail).toContain("leads out of the project");
    const relative = await failed(
      await mayfly.deploy("linked", tarball("l2", { "index.js": source }, { "passwd.txt": "../../../etc/passwd" })),
    );
    expect(relative.detail).toContain("leads out of the project");
  });

  it("because it is empty, too large or nothing we know leaves nothing", async () => {
    expect((await mayfly.deploy("bad", "")).status).toBe(400);
    expect((await mayfly.deploy("bad", Buffer.alloc(65 * 1024 * 1024))).status).toBe(413);
    expect((await mayfly.deploy("bad", Buffer.from([0, 1, 2, 3]))).status).toBe(415);
    expect((await mayfly.deploy("bad", "FROM scratch\nCOPY a b\n")).status).toBe(422);
    expect((await mayfly.deploy("bad", "export default 1", "memory=1KiB")).status).toBe(422);
    expect((await mayfly.api("/v1/functions/bad")).status).toBe(404);
  });
});

describe("the key", () => {
  it("is needed for everything under /v1", async () => {
    for (const [method, path] of [
      ["PUT", "/v1/functions/x"],
      ["GET", "/v1/functions"],
      ["GET", "/v1/invocations"],
      ["GET", "/v1/limits"],
      ["GET", "/v1//functions"],
      ["GET", "/v1/%66unctions"],
    ]) {
      const answer = await fetch(`${mayfly.url}${path}`, {
        method: method!,
        ...(method === "PUT" ? { body: "x" } : {}),
      });
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    }
    const wrong = await fetch(`${mayfly.url}/v1/functions`, { headers: { authorization: "Bearer nonsense" } });
    expect(wrong.status).toBe(401);
  });

  it("closes a function that asks for it", async () => {
    expect((await mayfly.deploy("closed", "export default () => new Response('in')", "access=key")).status).toBe(201);
    expect((await mayfly.call("closed")).status).toBe(401);
    expect(await (await mayfly.call("closed", { headers: { authorization: `Bearer ${KEY}` } })).text()).toBe("in");
  });
});
