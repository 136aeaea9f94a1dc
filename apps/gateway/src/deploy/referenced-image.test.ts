import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import {
  type BuildJob,
  DEFAULT_SETTINGS,
  type Digest,
  decodeJson,
  FRAME,
  type FunctionName,
  ImageJob,
  ImageTask,
  NO_BUILD_OPTIONS,
  newBuildId,
} from "@mayfly/contract";
import { type Consumer, connectChannel, consume } from "@mayfly/queue";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PREFIX, startGateway, type TestGateway } from "../testing/gateway.ts";
import { IMAGE } from "../testing/worker.ts";
import { resumeBuilds } from "./unfinished.ts";

const sha256 = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
const ABSENT = sha256("x");
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const TROUBLES: Record<string, { code: string; message: string }> = {
  "r.example/none:1": { code: "not_found", message: "none there" },
  "nobody/has:1": { code: "not_found", message: "none here" },
  [`plain@${ABSENT}`]: { code: "not_found", message: "none here" },
  "away:1": { code: "registry_unavailable", message: "(1) it is away" },
  "r.example/secret": { code: "registry_denied", message: "who are you" },
  "r.example/away": { code: "registry_unavailable", message: "it is away" },
};

describe("a deploy of an image", () => {
  let gateway: TestGateway;
  let jobs: BuildJob[];
  /** What a worker finds at other registries. */
  let looking: Consumer;
  let resolved: { digest: Digest; reference?: string };
  let asked: string[];
  beforeAll(async () => {
    gateway = await startGateway();
    gateway.worker.built = async (job) => {
      jobs.push(job);
      return { status: "done", image: IMAGE, contract: "fetch", size_bytes: 100, exports: ["default"] };
    };
    looking = consume({
      ...{ redis: gateway.redis.address, prefix: PREFIX, queue: "image", concurrency: 1, onError: () => {} },
      process: async (job) => {
        const { request, channel: address } = ImageJob.parse(job);
        const { channel } = await connectChannel(address, { kind: "image", request, host: "test" });
        const { value } = await channel.frames[Symbol.asyncIterator]().next();
        const task = ImageTask.parse(decodeJson(value!)) as { verb: string; reference: string };
        asked.push(task.reference);
        const trouble = TROUBLES[task.reference];
        await (trouble
          ? channel.sendJson(FRAME.ERROR, trouble)
          : channel.sendJson(FRAME.ACK, { ...task, ...resolved }));
        channel.close();
      },
    });
  });
  beforeEach(() => {
    jobs = [];
    asked = [];
  });
  afterAll(async () => {
    await looking.close(0);
    await gateway.close();
  });

  const deploy = (name: string, body: unknown, query = "") =>
    gateway.api(`/v1/functions/${name}?wait=10${query}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const push = async (repository: string, tag: string, content: string): Promise<Digest> => {
    const config = {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: sha256(content),
      size: content.length,
    };
    await gateway.api(`/v2/${repository}/blobs/uploads/?digest=${config.digest}`, { method: "POST", body: content });
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] });
    const put = { method: "PUT", headers: { "content-type": MANIFEST }, body: manifest };
    expect((await gateway.api(`/v2/${repository}/manifests/${tag}`, put)).status).toBe(201);
    return sha256(manifest);
  };

  it("builds what the tag named when it was deployed, by digest", async () => {
    const first = await push("team/app", "1", "one");
    const answer = await deploy("app", { image: "team/app:1" });
    expect([answer.status, await answer.json()]).toMatchObject([201, { version: 1, source_digest: first }]);
    const second = await push("team/app", "1", "two");
    expect(await (await deploy("app", { image: "team/app:1" })).json()).toMatchObject({
      version: 2,
      source_digest: second,
    });
    const byDigest = await (await deploy("app", { image: `team/app@${first}` })).json();
    expect(byDigest).toMatchObject({ version: 1, unchanged: true });
    expect(jobs.map(({ source }) => source)).toEqual(
      [first, second].map((digest) => ({ kind: "image", digest, repository: null })),
    );
    expect(readdirSync(gateway.deps.uploads)).toEqual([]);
  });

  it("takes latest when there is no tag, and our own address before the name", async () => {
    const digest = await push("plain", "latest", "plain");
    expect(await (await deploy("plain", { image: "plain" })).json()).toMatchObject({ source_digest: digest });
    const own = await deploy("plain", { image: `127.0.0.1:${gateway.port}/plain` });
    expect(await own.json()).toMatchObject({ version: 1, unchanged: true });
  });

  it("takes what another registry has by that name now, which a worker looks for and fetches", async () => {
    const digest = sha256("elsewhere");
    resolved = { digest };
    const answer = await deploy("elsewhere", { image: "r.example:5000/team/app:2" });
    expect([answer.status, await answer.json()]).toMatchObject([201, { version: 1, source_digest: digest }]);
    expect(jobs.map(({ source }) => source)).toEqual([
      { kind: "image", digest, repository: "r.example:5000/team/app" },
    ]);
    const again = await deploy("elsewhere", { image: "r.example:5000/team/app:latest" });
    expect(await again.json()).toMatchObject({ version: 1, unchanged: true });
    expect(asked).toEqual(["r.example:5000/team/app:2", "r.example:5000/team/app:latest"]);
  });

  it("that is not in our registry is what a worker has by that name, or finds at the operator's registries", async () => {
    for (const [at, reference] of ["app:2", "r.example/team/app:2"].entries()) {
      const digest = sha256(reference);
      resolved = { digest, reference };
      const answer = await deploy("short", { image: "app:2" });
      expect(await answer.json()).toMatchObject({ version: at + 1, source_digest: digest });
      const repository = reference.replace(":2", "");
      expect(jobs.at(-1)?.source).toEqual({ kind: "image", digest, repository });
    }
    expect(asked).toEqual(["app:2", "app:2"]);
    await push("app", "2", "pushed");
    expect(await (await deploy("short", { image: "app:2" })).json()).toMatchObject({
      source_digest: (await gateway.deps.registry.index.manifest("app", "2"))?.digest,
    });
    expect(asked).toHaveLength(2);
  });

  it("takes settings beside it, in the query and in a form", async () => {
    await push("set", "latest", "set");
    expect(await (await deploy("set", { image: "set" }, "&memory=64MiB")).json()).toMatchObject({
      settings: { memory_bytes: 64 * 1024 * 1024 },
    });
    const form = new FormData();
    form.append("config", JSON.stringify({ timeout: "5s" }));
    form.append("source", new Blob(['{"image":"set"}'], { type: "application/json" }));
    const answer = await gateway.api("/v1/functions/set?wait=10", { method: "PUT", body: form });
    expect(await answer.json()).toMatchObject({ version: 2, settings: { timeout_ms: 5_000 } });
  });

  it.each<[string, unknown, number, string, RegExp]>([
    ["an unknown repository", { image: "nobody/has:1" }, 422, "unknown_image", /no image nobody\/has:1; .*none here$/],
    ["an unknown digest", { image: `plain@${ABSENT}` }, 422, "unknown_image", /no image plain@sha256/],
    [
      "a name of ours that is not here",
      { image: `mayfly/none@sha256:${"0".repeat(64)}` },
      422,
      "unknown_image",
      /mayfly/,
    ],
    ["one of operator's registries away", { image: "away:1" }, 502, "registry_unavailable", /^\(1\) it is away/],
    ["one that another registry lacks", { image: "r.example/none:1" }, 422, "unknown_image", /^none there/],
    ["one that another registry does not show", { image: "r.example/secret" }, 422, "registry_denied", /^who are you/],
    ["one of a registry that is away", { image: "r.example/away" }, 502, "registry_unavailable", /^it is away/],
    ["no reference", { image: "No Name" }, 400, "bad_request", /is no name/],
    ["no text", { image: 1 }, 400, "bad_request", /expected string/],
    ["another member", { image: "plain", tag: "1" }, 400, "bad_request", /"tag"/],
    ["nothing", {}, 400, "bad_request", /expected string/],
    ["a repository on this disk", { git: "file:///etc" }, 400, "bad_request", /an http or https address/],
    ["a repository by ssh", { git: "git@example.org:x" }, 400, "bad_request", /an http or https address/],
    ["an address of no web", { url: "ftp://example.org/x" }, 400, "bad_request", /an http or https address/],
    ["a folder outside", { url: "https://example.org/x", dir: "../x" }, 400, "bad_request", /inside the source/],
    ["two places", { git: "https://a.example/x", url: "https://a.example/x" }, 400, "bad_request", /"url"/],
    ["no JSON", "{", 400, "bad_request", /no small JSON object/],
    ["a list", "[]", 400, "bad_request", /no small JSON object/],
    ["a large document", `{"image":"${"x".repeat(20_000)}"}`, 400, "bad_request", /no small JSON object/],
  ])("with %s is refused and leaves nothing", async (_, body, status, code, detail) => {
    const answer = await deploy("refused", body);
    const problem = (await answer.json()) as { code: string; detail: string };
    expect([answer.status, problem.code, problem.detail]).toEqual([status, code, expect.stringMatching(detail)]);
    expect((await gateway.api("/v1/functions/refused")).status).toBe(404);
    expect(readdirSync(gateway.deps.uploads)).toEqual([]);
    expect(jobs).toEqual([]);
  });

  it("is taken up again by the next gateway, though it has no upload", async () => {
    const digest = await push("resumed", "latest", "resumed");
    const build = newBuildId(Date.now());
    const created_at = new Date().toISOString();
    const source_digest = `${digest}/image/`;
    await gateway.deps.catalog.createBuild({
      ...{ id: build, function: "resumed" as FunctionName, created_at, source_digest, settings: DEFAULT_SETTINGS },
      options: NO_BUILD_OPTIONS,
    });
    await resumeBuilds(gateway.deps, new AbortController().signal);
    const ended = await gateway.json(`/v1/builds/${build}?wait=10`);
    expect([ended.status, jobs.map(({ source }) => source)]).toEqual([
      "done",
      [{ kind: "image", digest, repository: null }],
    ]);
  });

  it("lets a worker fetch its blobs over the data channel, from any byte on", async () => {
    const digest = await push("fetched", "latest", "0123456789");
    const open = (of: Digest, from: number) =>
      connectChannel(gateway.deps.channel, { kind: "blob", digest: of, from, host: "test" });
    const read = async (of: Digest, from: number) => {
      const { channel, go } = await open(of, from);
      expect(go.go).toBe(true);
      const parts: Uint8Array[] = [];
      for await (const frame of channel.frames) {
        if (frame.type === FRAME.DATA) parts.push(frame.payload);
        if (frame.type === FRAME.END) return Buffer.concat(parts).toString();
      }
      throw new Error("no end");
    };
    expect(await read(sha256("0123456789"), 0)).toBe("0123456789");
    expect(await read(sha256("0123456789"), 7)).toBe("789");
    expect(sha256(await read(digest, 0))).toBe(digest);
    const absent = await open(sha256("absent"), 0);
    expect(absent.go.go).toBe(false);
  });
});
