import { setTimeout as sleep } from "node:timers/promises";
import { decodeJson, FRAME, ImageJob, ImageTask } from "@mayfly/contract";
import { type Consumer, connectChannel, consume, type FrameChannel } from "@mayfly/queue";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { PREFIX, problemOf, startGateway, type TestGateway } from "../testing/gateway.ts";
import { bodyOf, untilCut } from "../testing/worker.ts";

const DIGEST = `sha256:${"d".repeat(64)}`;
type Behave = (channel: FrameChannel, task: ImageTask) => Promise<void>;

/** The gateway with a worker at the other end that has no images: `behave` answers. */
describe("a request about images", () => {
  let gateway: TestGateway;
  let worker: Consumer;
  let behave: Behave;
  const jobs: unknown[] = [];
  const cut: string[] = [];
  beforeAll(async () => {
    gateway = await startGateway();
    worker = consume({
      ...{ redis: gateway.redis.address, prefix: PREFIX, queue: "image", concurrency: 4, onError: () => {} },
      process: async (job) => {
        jobs.push(job);
        const { request, channel: address } = ImageJob.parse(job);
        const { channel, go } = await connectChannel(address, { kind: "image", request, host: "test" });
        if (!go.go) return channel.close();
        const { value } = await channel.frames[Symbol.asyncIterator]().next();
        const task = ImageTask.parse(decodeJson(value!));
        await behave(channel, task).catch(() => void cut.push(task.verb));
        channel.close();
      },
    });
  });
  beforeEach(() => {
    jobs.length = 0;
    cut.length = 0;
  });
  afterAll(async () => {
    await worker.close(0);
    await gateway.close();
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    gateway.api(path, { method: "POST", body: JSON.stringify(body), headers });
  const echo: Behave = (channel, task) => channel.sendJson(FRAME.ACK, task);
  const error = (channel: FrameChannel, code: string) => channel.sendJson(FRAME.ERROR, { code, message: "why" });

  it.each([
    ["GET", "/v1/images", undefined, { verb: "list" }],
    ["GET", "/v1/images/a%2Fb:1", undefined, { verb: "inspect", reference: "a/b:1" }],
    ["GET", "/v1/images/h:5000%2Fb/history", undefined, { verb: "history", reference: "h:5000/b" }],
    ["GET", "/v1/images/gc/log", undefined, { verb: "log", reference: "gc" }],
    ["PUT", "/v1/images/a", { image: DIGEST }, { verb: "tag", reference: "a", image: DIGEST }],
    ["DELETE", "/v1/images/a", undefined, { verb: "untag", reference: "a" }],
    ["POST", "/v1/images/a/rollback", undefined, { verb: "rollback", reference: "a", to: null }],
    ["POST", "/v1/images/fsck", { mend: true }, { verb: "fsck", mend: true, deep: false }],
    ["POST", "/v1/images/gc", { unused_s: 0 }, { verb: "gc", keep: [], unused_s: 0 }],
    ["POST", "/v1/images/a/push", { to: "r.io/a" }, { verb: "push", reference: "a", to: "r.io/a" }],
  ])("%s %s is told to a worker", async (method, path, body, task) => {
    behave = echo;
    const answer = await gateway.api(path, { method, ...(body && { body: JSON.stringify(body) }) });
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining(task)]);
  });

  it("keeps the images of all versions when garbage is collected", async () => {
    behave = echo;
    await gateway.define("kept");
    const { keep } = (await (await post("/v1/images/gc", {})).json()) as { keep: string[] };
    expect(keep).toEqual([(await gateway.deps.catalog.version("kept", "live"))!.image]);
  });

  it("puts no password into the queue", async () => {
    behave = echo;
    const credential = { username: "me", password: "s3cret" };
    expect(await (await post("/v1/images/a/pull", { credential })).json()).toMatchObject({ credential });
    expect(jobs).toHaveLength(1);
    expect(JSON.stringify(jobs)).not.toContain("s3cret");
  });

  it.each<[string, unknown, string]>([
    ["/v1/images/a/pull", { platform: "everything" }, "platform: write it like linux/amd64, or all"],
    ["/v1/images/a/push", { to: "" }, "to: "],
    ["/v1/images/gc", { unused_s: -1 }, "unused_s: "],
    ["/v1/images/fsck", { mendd: true }, "mendd"],
  ])("that cannot be read (%s, %j) is refused without a worker", async (path, body, why) => {
    const problem = await problemOf(await post(path, body));
    expect(problem).toMatchObject({ code: "bad_request", detail: expect.stringContaining(why) });
    expect(jobs).toEqual([]);
  });

  it.each([
    ["not_found", 404, "not_found"],
    ["bad_image", 422, "bad_image"],
    ["registry_denied", 422, "registry_denied"],
    ["registry_unavailable", 502, "registry_unavailable"],
    ["no code of ours", 500, "internal"],
  ])("that fails with %s is answered %i, with the worker's words", async (code, status, expected) => {
    behave = (channel) => error(channel, code);
    expect(await problemOf(await gateway.api("/v1/images"))).toMatchObject({ status, code: expected, detail: "why" });
    expect(await problemOf(await gateway.api("/v1/images/a/archive"))).toMatchObject({ status, code: expected });
  });

  it("whose worker breaks off is answered, and one that no worker can take is refused at once", async () => {
    behave = async (channel) => channel.destroy();
    expect(await problemOf(await gateway.api("/v1/images"))).toMatchObject({ status: 502, code: "worker_lost" });
    const connected = [...gateway.deps.workers];
    gateway.deps.workers.clear();
    expect(await problemOf(await gateway.api("/v1/images"))).toMatchObject({ status: 503, code: "unavailable" });
    for (const one of connected) gateway.deps.workers.add(one);
  });

  it("ends at the worker when its client goes away", async () => {
    behave = untilCut;
    const client = new AbortController();
    const asked = gateway.api("/v1/images", { signal: client.signal });
    await vi.waitFor(() => expect(jobs).toHaveLength(1));
    client.abort();
    await expect(asked).rejects.toThrow();
    await vi.waitFor(() => expect(cut).toEqual(["list"]));
  });

  it("shows what moves while it moves, and its end last", async () => {
    const progress = { digest: DIGEST, size_bytes: 9, done_bytes: 5, state: "moving" } as const;
    behave = async (channel, task) => {
      await channel.sendJson(FRAME.RECORD, progress);
      await sleep(50);
      if (task.verb === "pull") await channel.sendJson(FRAME.ACK, { digest: DIGEST });
      else await error(channel, "bad_image");
    };
    const accept = { accept: "application/x-ndjson" };
    const records = async (verb: string) =>
      (await (await post(`/v1/images/a/${verb}`, {}, accept)).text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    expect(await records("pull")).toEqual([
      { seq: 0, progress },
      { seq: 1, result: { digest: DIGEST } },
    ]);
    expect((await records("push")).at(-1)).toMatchObject({ seq: 1, error: { code: "bad_image", detail: "why" } });
  });

  it("passes an archive on while it comes; a worker that refuses it early is heard all the same", async () => {
    const archive = Buffer.alloc(8_000_000, "x");
    let came = 0;
    behave = async (channel) => {
      for await (const chunk of bodyOf(channel)) came += chunk.byteLength;
      await channel.sendJson(FRAME.ACK, { images: [] });
    };
    const load = () => gateway.api("/v1/images", { method: "POST", body: archive });
    expect([(await load()).status, came]).toEqual([200, archive.byteLength]);
    behave = (channel) => error(channel, "bad_image");
    expect(await problemOf(await load())).toMatchObject({ code: "bad_image" });
  });

  it("whose archive breaks off is known to the worker to be cut", async () => {
    behave = async (channel) => {
      for await (const _ of bodyOf(channel));
    };
    const client = new AbortController();
    const body = ReadableStream.from(
      (async function* () {
        yield Buffer.from("the beginning");
        await sleep(100);
        client.abort();
      })(),
    );
    const init = { method: "POST", body, duplex: "half", signal: client.signal } as unknown as RequestInit;
    await expect(gateway.api("/v1/images", init)).rejects.toThrow();
    await vi.waitFor(() => expect(cut).toEqual(["load"]));
  });

  it("for an archive that cannot be given whole cuts the connection", async () => {
    behave = async (channel) => {
      await channel.send(FRAME.DATA, Buffer.alloc(100_000));
      await error(channel, "bad_image");
    };
    const answer = await gateway.api("/v1/images/a/archive?also=b&format=oci");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/x-tar"]);
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });
});
