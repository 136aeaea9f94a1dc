import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY, startGateway, type TestGateway } from "../testing/gateway.ts";
import { ABSENT, HELLO, registryClient, sha256 } from "../testing/registry-client.ts";

/** The distribution spec, request by request. What other tools make of it: clients.test.ts. */
describe("the registry", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  const { v2, send, failure, pushBlob, begin, manifestOf, pushManifest, pushed } = registryClient(() => gateway);

  describe("the key", () => {
    it("opens it as a bearer token and as anybody's password", async () => {
      const basic = `Basic ${Buffer.from(`anybody:${KEY}`).toString("base64")}`;
      for (const authorization of [`Bearer ${KEY}`, basic]) {
        const answer = await fetch(`${gateway.url}/v2/`, { headers: { authorization } });
        expect([answer.status, answer.headers.get("docker-distribution-api-version")]).toEqual([200, "registry/2.0"]);
      }
    });

    it.each([
      ["none", undefined],
      ["a wrong token", `Bearer ${KEY}x`],
      ["a wrong password", `Basic ${Buffer.from(`${KEY}:wrong`).toString("base64")}`],
      ["a user alone", `Basic ${Buffer.from(KEY).toString("base64")}`],
      ["no base64", "Basic %%%"],
    ])("is wanted everywhere: %s is 401, and says how to log in", async (_, authorization) => {
      for (const [method, path] of [
        ["GET", "/v2/"],
        ["GET", "/v2/a/tags/list"],
        ["HEAD", `/v2/a/blobs/${ABSENT}`],
        ["POST", "/v2/a/blobs/uploads/"],
        ["PUT", "/v2/a/manifests/1"],
        ["DELETE", "/v2/a/manifests/1"],
        ["GET", "/v2/_catalog"],
        ["GET", "/v2/%61/tags/list"],
        ["GET", "/v2//x"],
      ] as const) {
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
        const answer = await fetch(`${gateway.url}${path}`, { method, headers });
        expect([path, answer.status, answer.headers.get("www-authenticate")]).toEqual([
          ...[path, 401, expect.stringMatching(/^Basic realm=/)],
        ]);
        if (method !== "HEAD") expect(await failure(answer)).toEqual([401, "UNAUTHORIZED"]);
      }
    });
  });

  describe("a blob", () => {
    it("is sent in one POST, in a PUT, or in chunks, and is there then", async () => {
      await pushBlob("one", HELLO);
      const upload = await begin("two");
      const put = await send("PUT", `${upload}?digest=${sha256(HELLO)}`, HELLO);
      expect([put.status, put.headers.get("location")]).toEqual([201, `/v2/two/blobs/${sha256(HELLO)}`]);
      const chunks = await begin("three");
      const first = await send("PATCH", chunks, HELLO.subarray(0, 2), { "content-range": "0-1" });
      expect([first.status, first.headers.get("range"), first.headers.get("location")]).toEqual([
        202,
        "0-1",
        `/v2${chunks}`,
      ]);
      const status = await send("GET", chunks);
      expect([status.status, status.headers.get("range")]).toEqual([204, "0-1"]);
      expect((await send("PATCH", chunks, HELLO.subarray(2, 4), { "content-range": "2-3" })).status).toBe(202);
      const last = await send("PUT", `${chunks}?digest=${sha256(HELLO)}`, HELLO.subarray(4), {
        "content-range": "4-4",
      });
      expect([last.status, last.headers.get("docker-content-digest")]).toEqual([201, sha256(HELLO)]);
      for (const repository of ["one", "two", "three"]) {
        const got = await v2(`/${repository}/blobs/${sha256(HELLO)}`);
        expect([got.status, got.headers.get("content-length"), await got.text()]).toEqual([200, "5", "hello"]);
        const head = await send("HEAD", `/${repository}/blobs/${sha256(HELLO)}`);
        expect([head.status, head.headers.get("content-length"), head.headers.get("docker-content-digest")]).toEqual([
          ...[200, "5", sha256(HELLO)],
        ]);
      }
      expect(await failure(send("GET", chunks))).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
    });

    it("goes on after the last byte that came, and nowhere else", async () => {
      const upload = await begin("order");
      await send("PATCH", upload, HELLO.subarray(0, 2), { "content-range": "0-1" });
      for (const range of ["0-1", "3-4", "nonsense", "5-1"]) {
        const answer = await send("PATCH", upload, HELLO.subarray(3), { "content-range": range });
        expect([range, answer.status, answer.headers.get("range"), answer.headers.get("location")]).toEqual([
          ...[range, 416, "0-1", `/v2${upload}`],
        ]);
      }
      expect(
        (await send("PUT", `${upload}?digest=${sha256(HELLO)}`, HELLO.subarray(2), { "content-range": "2-4" })).status,
      ).toBe(201);
    });

    it("of fewer bytes than its range says is taken back", async () => {
      const upload = await begin("short");
      expect(await failure(send("PATCH", upload, HELLO, { "content-range": "0-9" }))).toEqual([400, "SIZE_INVALID"]);
      expect((await send("PUT", `${upload}?digest=${sha256(HELLO)}`, HELLO)).status).toBe(201);
    });

    it("with other bytes than its digest's is refused, and nothing of it is kept", async () => {
      const upload = await begin("wrong");
      await send("PATCH", upload, HELLO);
      expect(await failure(send("PUT", `${upload}?digest=${ABSENT}`))).toEqual([400, "DIGEST_INVALID"]);
      expect(await failure(send("GET", upload))).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
      const other = Buffer.from("other bytes");
      expect(await failure(send("POST", `/wrong/blobs/uploads/?digest=${ABSENT}`, other))).toEqual([
        400,
        "DIGEST_INVALID",
      ]);
      for (const digest of [ABSENT, sha256(other), sha256(HELLO)]) {
        expect((await send("HEAD", `/wrong/blobs/${digest}`)).status).toBe(404);
      }
      expect(await gateway.deps.registry.blobs.has(sha256(other) as never)).toBe(false);
      for (const digest of ["", "sha512:00", "sha256:xyz", "hello"]) {
        expect(await failure(send("PUT", `${await begin("wrong")}?digest=${digest}`, HELLO))).toEqual([
          400,
          "DIGEST_INVALID",
        ]);
      }
    });

    it("is given in parts", async () => {
      const { digest } = await pushBlob("parts", HELLO);
      const part = async (range: string) => {
        const answer = await v2(`/parts/blobs/${digest}`, { headers: { range } });
        return [answer.status, answer.headers.get("content-range"), answer.status === 416 ? "" : await answer.text()];
      };
      expect(await part("bytes=0-1")).toEqual([206, "bytes 0-1/5", "he"]);
      expect(await part("bytes=3-")).toEqual([206, "bytes 3-4/5", "lo"]);
      expect(await part("bytes=-1")).toEqual([206, "bytes 4-4/5", "o"]);
      expect(await part("bytes=2-99")).toEqual([206, "bytes 2-4/5", "llo"]);
      expect(await part("bytes=5-")).toEqual([416, "bytes */5", ""]);
      expect(await part("bytes=0-0,2-2")).toEqual([200, null, "hello"]);
      expect(await part("lines=1-2")).toEqual([200, null, "hello"]);
    });

    it("that is damaged on disk never arrives whole", async () => {
      const { digest } = await pushBlob("damaged", "x".repeat(1_000_000));
      const { uploads } = gateway.deps;
      // Of the same size: only its last bytes can be held back.
      await writeFile(`${uploads}/../registry/blobs/sha256/${digest.slice(7)}`, "y".repeat(1_000_000));
      const answer = await v2(`/damaged/blobs/${digest}`);
      await expect(answer.arrayBuffer()).rejects.toThrow();
    });

    it("is mounted from a repository that has it, and else an upload begins", async () => {
      const { digest } = await pushBlob("mount/from", HELLO);
      const mounted = await send("POST", `/mount/to/blobs/uploads/?mount=${digest}&from=mount/from`);
      expect([mounted.status, mounted.headers.get("location")]).toEqual([201, `/v2/mount/to/blobs/${digest}`]);
      expect(await (await v2(`/mount/to/blobs/${digest}`)).text()).toBe("hello");
      for (const query of [`mount=${ABSENT}&from=mount/from`, `mount=${digest}&from=nobody`, `mount=${digest}`]) {
        expect((await send("POST", `/mount/third/blobs/uploads/?${query}`)).status).toBe(202);
      }
      expect((await send("HEAD", `/mount/third/blobs/${digest}`)).status).toBe(404);
    });

    it("is no other repository's, nor is an upload", async () => {
      const { digest } = await pushBlob("mine", HELLO);
      expect(await failure(v2(`/yours/blobs/${digest}`))).toEqual([404, "BLOB_UNKNOWN"]);
      const upload = await begin("mine");
      expect(await failure(send("PATCH", upload.replace("/mine/", "/yours/"), HELLO))).toEqual([
        404,
        "BLOB_UPLOAD_UNKNOWN",
      ]);
    });

    it("can be given up on the way", async () => {
      const upload = await begin("given/up");
      await send("PATCH", upload, HELLO);
      expect((await send("DELETE", upload)).status).toBe(204);
      expect(await failure(send("DELETE", upload))).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
    });

    it("is deleted when no manifest names it", async () => {
      const { digest } = await pushed("used", "1");
      const blob = sha256(HELLO);
      expect(await failure(send("DELETE", `/used/blobs/${blob}`))).toEqual([405, "UNSUPPORTED"]);
      expect((await send("DELETE", `/used/manifests/${digest}`)).status).toBe(202);
      expect((await send("DELETE", `/used/blobs/${blob}`)).status).toBe(202);
      expect(await failure(send("DELETE", `/used/blobs/${blob}`))).toEqual([404, "BLOB_UNKNOWN"]);
    });
  });

  it("keeps what is below mayfly/ for what is made here", async () => {
    const denied = [403, "DENIED"];
    expect(await failure(send("POST", "/mayfly/node/blobs/uploads/"))).toEqual(denied);
    expect(await failure(pushManifest("mayfly/node", "24", await manifestOf("mine")))).toEqual(denied);
    expect(await failure(send("PUT", "/mayfly/function/hello/manifests/1", "{}"))).toEqual(denied);
    await pushed("mayflyer/app", "1");
    const workers = [...gateway.deps.workers];
    gateway.deps.workers.clear();
    const answer = await v2("/mayfly/node/manifests/24");
    for (const worker of workers) gateway.deps.workers.add(worker);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await answer.text()).toContain("mayfly/node:24 lies with the workers, and no worker is connected");
    expect(await failure(v2("/mayfly/function/nobody/manifests/live"))).toEqual([404, "NAME_UNKNOWN"]);
  });

  it("answers what it does not offer in the spec's shape", async () => {
    expect(await failure(send("POST", `/a/blobs/${ABSENT}`))).toEqual([405, "UNSUPPORTED"]);
    expect(await failure(send("PATCH", "/a/manifests/1"))).toEqual([405, "UNSUPPORTED"]);
    expect(await failure(v2("/nothing"))).toEqual([404, "UNSUPPORTED"]);
    expect(await failure(v2("/a%2F..%2Fb/tags/list"))).toEqual([400, "NAME_INVALID"]);
    expect(await failure(v2("/a%ZZ/tags/list"))).toEqual([400, "NAME_INVALID"]);
    expect((await v2("/a/b/manifests/blobs/uploads/")).status).toBe(405);
  });
});
