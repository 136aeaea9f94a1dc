import { createHash } from "node:crypto";
import { symlinkSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fetch } from "../dockerfile/execute/ports.ts";
import { Meter } from "../meter.ts";
import { ChildBoxes } from "../testing/child-boxes.ts";
import { DockerfileBuilds } from "../testing/dockerfiles.ts";
import { commitFiles, serveGit } from "../testing/git-server.ts";
import { dockerfileFetch } from "./for-dockerfile.ts";

const MOST = 512 * 1024;
/** What was asked of the server. */
let asked: string[] = [];
let content = "one";
let dir: string;
let server: Server;
let url: string;
let builds: DockerfileBuilds;
let boxes: ChildBoxes;
let first: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "mayfly-fetch-"));
  first = commitFiles(dir, "r.git", { "a.txt": "A", "sub/b.txt": "B", "sub/run.sh": "#!/bin/sh\n" });
  symlinkSync("/etc", join(dir, "r.git", "out"));
  commitFiles(dir, "r.git", { "a.txt": "A2" });
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`.trimEnd());
    const path = new URL(request.url!, "http://host").pathname;
    const hops = Number(/^\/hops\/(\d+)/.exec(path)?.[1] ?? -1);
    if (path.startsWith("/r.git")) serveGit(dir, request, response);
    else if (hops === 0) response.writeHead(302, { location: "/file.txt" }).end();
    else if (hops > 0) response.writeHead(302, { location: `/hops/${hops - 1}` }).end();
    else if (path === "/elsewhere") response.writeHead(302, { location: "http://localhost:49999/" }).end();
    else if (path === "/file.txt")
      response.writeHead(200, { etag: `"${content}"`, "last-modified": "Thu, 02 Jan 2025 03:04:05 GMT" }).end(content);
    else if (path === "/changes") response.end(content);
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  builds = await DockerfileBuilds.start();
  boxes = new ChildBoxes(() => builds.store);
  await boxes.bundlePrograms();
});
afterAll(async () => {
  expect(boxes.living).toBe(0);
  boxes.close();
  server.close();
  await builds.close();
  await rm(dir, { recursive: true, force: true });
});

const fetch: Fetch = (...request) => {
  const image = "sha256:".padEnd(71, "0") as never;
  const fetching = { image, openBox: boxes.open, scratch: join(dir, "scratch"), meter: new Meter(), mostBytes: MOST };
  return dockerfileFetch(fetching)(...request);
};
const made = (instruction: string) => builds.made(`FROM scratch\n${instruction}`, { fetch });
const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

describe("ADD of an address", () => {
  it("makes a file as Docker does: 0600, root's, with its name or another", async () => {
    content = "one";
    expect(await made(`ADD ${url}/file.txt /d/`)).toEqual(["d directory 755 0:0", 'd/file.txt file 600 0:0 "one"']);
    expect(await made(`ADD --chmod=644 --chown=5:6 ${url}/file.txt /x`)).toEqual(['x file 644 5:6 "one"']);
  });

  it("asks each time, and takes what it has when the server's ETag is the same", async () => {
    content = "two";
    const dockerfile = `FROM scratch\nADD ${url}/file.txt /etagged`;
    const image = await builds.build(dockerfile, { fetch });
    expect(await builds.build(dockerfile, { fetch })).toBe(image);
    expect(builds.steps.at(-1)).toMatch(/^cached /);
    content = "three";
    expect(await builds.build(dockerfile, { fetch })).not.toBe(image);
  });

  it("with a checksum is fetched once, and never what has another", async () => {
    content = "four";
    asked = [];
    const instruction = `ADD --checksum=${sha256("four")} ${url}/changes /q`;
    expect(await made(instruction)).toEqual(['q file 600 0:0 "four"']);
    content = "five";
    expect(await made(instruction)).toEqual(['q file 600 0:0 "four"']);
    expect(asked).toEqual(["GET /changes"]);
    await expect(made(`ADD --checksum=${sha256("x")} ${url}/changes /q`)).rejects.toThrow("digest mismatch");
    await expect(made(`ADD --checksum=md5:1 ${url}/changes /q`)).rejects.toThrow("invalid checksum digest format");
  });

  it("follows three redirects and no fourth", async () => {
    content = "six";
    expect(await made(`ADD ${url}/hops/2 /q`)).toEqual(['q file 600 0:0 "six"']);
    await expect(made(`ADD ${url}/hops/3 /q`)).rejects.toThrow("leads to more than 3 other addresses");
  });

  it("says name and password where they belong, and nobody else", async () => {
    asked = [];
    await made(`ADD ${url.replace("//", "//me:secret@")}/hops/0 /q`);
    expect(asked).toEqual(["/hops/0", "/file.txt"].map((path) => `GET ${path} Basic bWU6c2VjcmV0`));
    await expect(made(`ADD ${url.replace("//", "//me:secret@")}/gone /q`)).rejects.toThrow(
      `GET ${url}/gone answered 404`,
    );
  });

  it.each([
    ["that is not there", "/gone", "answered 404 Not Found"],
    [
      "that nobody answers at",
      "/elsewhere",
      "cannot connect to localhost:49999: ECONNREFUSED; boxes reach the public internet alone",
    ],
  ])("%s is told, with the line", async (_, path, message) => {
    const failure = await builds
      .build(`FROM scratch\nADD ${url}${path} /q`, { fetch })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringContaining(message) });
  });

  it("ends at its limit, and leaves nothing", async () => {
    content = "x".repeat(MOST + 1);
    await expect(made(`ADD ${url}/changes /q`)).rejects.toThrow("what is fetched is larger than 512 KiB");
    expect(await readdir(join(dir, "scratch"))).toEqual([]);
  });
});

describe("ADD of a repository", () => {
  it("checks its HEAD out: modes as git has them, no .git, links as they are", async () => {
    expect(await made(`ADD ${url}/r.git /q`)).toEqual([
      "q directory 755 0:0",
      'q/a.txt file 644 0:0 "A2"',
      "q/out symlink 777 0:0 /etc",
      "q/sub directory 755 0:0",
      'q/sub/b.txt file 644 0:0 "B"',
      'q/sub/run.sh file 644 0:0 "#!/bin/sh\\n"',
    ]);
  });

  it("at a branch or a commit, and of it a folder", async () => {
    expect(await made(`ADD ${url}/r.git#main:sub /q`)).toContain('q/b.txt file 644 0:0 "B"');
    expect(await made(`ADD ${url}/r.git#${first} /q`)).toContain('q/a.txt file 644 0:0 "A"');
  });

  it("with --keep-git-dir has it", async () => {
    const lines = await made(`ADD --keep-git-dir=true ${url}/r.git /q`);
    expect(lines.some((line) => line.startsWith("q/.git/HEAD file"))).toBe(true);
  });

  it("is fetched when the commit is another one", async () => {
    const dockerfile = `FROM scratch\nADD ${url}/r.git#main /kept`;
    await builds.build(dockerfile, { fetch });
    asked = [];
    await builds.build(dockerfile, { fetch });
    // It is asked what the branch is, and for nothing more.
    expect(asked.filter((line) => line.startsWith("POST"))).toEqual(["POST /r.git/git-upload-pack"]);
    expect(builds.steps.at(-1)).toMatch(/^cached /);
  });

  it.each([
    ["#nope", "has no branch and no tag nope"],
    ["#main:nope", "has no folder nope at"],
    ["#main:out", "has no folder out at"],
  ])("%s is refused", async (fragment, message) => {
    await expect(made(`ADD ${url}/r.git${fragment} /q`)).rejects.toThrow(message);
  });
});
