import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY, startGateway, type TestGateway } from "../testing/gateway.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const sha256 = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const HELLO = Buffer.from("hello");
const ABSENT = sha256("never sent");

/** The distribution spec, request by request. What other tools make of it: clients.test.ts. */
describe("the registry", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  const v2 = (path: string, init: RequestInit = {}) => gateway.api(`/v2${path}`, init);
  const send = (method: string, path: string, body?: string | Uint8Array, headers: Record<string, string> = {}) =>
    v2(path, { method, headers, ...(body === undefined ? {} : { body: body as never }) });
  /** Status and the code of the first error. */
  const failure = async (answer: Response | Promise<Response>) => {
    const one = await answer;
    const { errors } = (await one.json()) as { errors: { code: string; message: string }[] };
    return [one.status, errors[0]!.code];
  };
  const pushBlob = async (repository: string, bytes: Uint8Array | string) => {
    const digest = sha256(bytes);
    const answer = await send("POST", `/${repository}/blobs/uploads/?digest=${digest}`, Buffer.from(bytes));
    expect(answer.status).toBe(201);
    return { mediaType: "application/octet-stream", digest, size: Buffer.byteLength(bytes) };
  };
  const begin = async (repository: string) => {
    const answer = await send("POST", `/${repository}/blobs/uploads/`);
    expect(answer.status).toBe(202);
    return answer.headers.get("location")!.replace("/v2", "");
  };
  const manifestOf = async (repository: string, more: object = {}, layer = HELLO) => {
    const [config, blob] = [await pushBlob(repository, "{}"), await pushBlob(repository, layer)];
    return JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [blob], ...more });
  };
  const pushManifest = (repository: string, reference: string, text: string, type = OCI_MANIFEST) =>
    send("PUT", `/${repository}/manifests/${reference}`, text, { "content-type": type });
  /** A manifest that is there, by its digest. */
  const pushed = async (repository: string, reference: string, more: object = {}) => {
    const text = await manifestOf(repository, more);
    expect((await pushManifest(repository, reference, text)).status).toBe(201);
    return { text, digest: sha256(text) };
  };

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
      const { appendFile } = await import("node:fs/promises");
      const { uploads } = gateway.deps;
      await appendFile(`${uploads}/../registry/blobs/sha256/${digest.slice(7)}`, "!");
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

  describe("a manifest", () => {
    it("is given by tag and by digest as it came, to the byte", async () => {
      const text = JSON.stringify(JSON.parse(await manifestOf("byte/for/byte")), null, 7);
      const put = await pushManifest("byte/for/byte", "v1", text);
      const digest = sha256(text);
      expect([put.status, put.headers.get("location"), put.headers.get("docker-content-digest")]).toEqual([
        ...[201, `/v2/byte/for/byte/manifests/${digest}`, digest],
      ]);
      for (const reference of ["v1", digest]) {
        const got = await v2(`/byte/for/byte/manifests/${reference}`);
        expect([got.status, got.headers.get("content-type"), got.headers.get("docker-content-digest")]).toEqual([
          ...[200, OCI_MANIFEST, digest],
        ]);
        expect(await got.text()).toBe(text);
        const head = await send("HEAD", `/byte/for/byte/manifests/${reference}`);
        expect([head.status, head.headers.get("content-length")]).toEqual([200, String(text.length)]);
      }
      const known = await v2("/byte/for/byte/manifests/v1", { headers: { "if-none-match": `"${digest}"` } });
      expect(known.status).toBe(304);
    });

    it("that is not there is 404, with the repository told apart", async () => {
      await pushed("there", "1");
      expect(await failure(v2("/there/manifests/2"))).toEqual([404, "MANIFEST_UNKNOWN"]);
      expect(await failure(v2(`/there/manifests/${ABSENT}`))).toEqual([404, "MANIFEST_UNKNOWN"]);
      expect(await failure(v2("/there/manifests/.INVALID"))).toEqual([404, "MANIFEST_UNKNOWN"]);
      expect(await failure(v2("/not/there/manifests/1"))).toEqual([404, "NAME_UNKNOWN"]);
      expect(await failure(v2("/Not/there/manifests/1"))).toEqual([400, "NAME_INVALID"]);
      expect(await failure(v2("/there/manifests/sha256:1"))).toEqual([400, "DIGEST_INVALID"]);
    });

    it("that cannot be kept is told why, and leaves nothing", async () => {
      const good = JSON.parse(await manifestOf("bad"));
      const named = { mediaType: "x", digest: ABSENT, size: 5 };
      const put = (value: unknown, type = OCI_MANIFEST) =>
        failure(pushManifest("bad", "1", typeof value === "string" ? value : JSON.stringify(value), type));
      expect(await put("{")).toEqual([400, "MANIFEST_INVALID"]);
      expect(await put([])).toEqual([400, "MANIFEST_INVALID"]);
      expect(await put({ ...good, schemaVersion: 1 })).toEqual([400, "MANIFEST_INVALID"]);
      expect(await put(good, OCI_INDEX)).toEqual([400, "MANIFEST_INVALID"]);
      expect(await put({ ...good, mediaType: "text/plain" }, "text/plain")).toEqual([400, "MANIFEST_INVALID"]);
      expect(await put({ ...good, layers: [{ ...named, digest: "sha256:../x" }] })).toEqual([400, "MANIFEST_INVALID"]);
      expect(await put({ ...good, layers: [named] })).toEqual([404, "MANIFEST_BLOB_UNKNOWN"]);
      expect(await put({ ...good, layers: [{ ...good.layers[0], size: 6 }] })).toEqual([400, "SIZE_INVALID"]);
      expect(await put({ ...good, annotations: { a: "x".repeat(5 << 20) } })).toEqual([413, "MANIFEST_INVALID"]);
      const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [named] };
      expect(await put(index, OCI_INDEX)).toEqual([404, "MANIFEST_BLOB_UNKNOWN"]);
      expect(await failure(pushManifest("bad", ".x", JSON.stringify(good)))).toEqual([400, "MANIFEST_INVALID"]);
      expect(await failure(pushManifest("bad", ABSENT, JSON.stringify(good)))).toEqual([400, "DIGEST_INVALID"]);
      expect(await failure(v2("/bad/tags/list"))).toEqual([404, "NAME_UNKNOWN"]);
    });

    it("is gone by digest with all of its tags, and a tag goes alone", async () => {
      const { digest, text } = await pushed("gone", "a", { annotations: { only: "here" } });
      await pushManifest("gone", "b", text);
      expect((await send("DELETE", "/gone/manifests/a")).status).toBe(202);
      expect(await failure(v2("/gone/manifests/a"))).toEqual([404, "MANIFEST_UNKNOWN"]);
      expect((await v2("/gone/manifests/b")).status).toBe(200);
      expect((await send("DELETE", `/gone/manifests/${digest}`)).status).toBe(202);
      for (const reference of ["b", digest]) expect((await v2(`/gone/manifests/${reference}`)).status).toBe(404);
      expect((await send("DELETE", `/gone/manifests/${digest}`)).status).toBe(404);
      expect(await gateway.deps.registry.blobs.has(digest as never)).toBe(false);
    });

    it("moves a tag", async () => {
      await pushed("moves", "latest");
      const { digest } = await pushed("moves", "latest", { annotations: { second: "yes" } });
      expect((await send("HEAD", "/moves/manifests/latest")).headers.get("docker-content-digest")).toBe(digest);
    });
  });

  describe("a list", () => {
    it("of tags is in lexical order and comes page by page", async () => {
      const { text } = await pushed("tags", "b");
      for (const tag of ["C", "a", "10"]) await pushManifest("tags", tag, text);
      expect(await (await v2("/tags/tags/list")).json()).toEqual({ name: "tags", tags: ["10", "a", "b", "C"] });
      const found: string[] = [];
      for (let path: string | undefined = "/v2/tags/tags/list?n=3"; path; ) {
        const answer = await gateway.api(path);
        found.push(...((await answer.json()) as { tags: string[] }).tags);
        path = /^<(.*)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
      }
      expect(found).toEqual(["10", "a", "b", "C"]);
      const last = await v2("/tags/tags/list?n=2&last=a");
      expect([await last.json(), last.headers.get("link")]).toEqual([{ name: "tags", tags: ["b", "C"] }, null]);
      expect(await (await v2("/tags/tags/list?n=0")).json()).toEqual({ name: "tags", tags: [] });
      expect(await failure(v2("/tags/tags/list?n=many"))).toEqual([400, "UNSUPPORTED"]);
    });

    it("of repositories has those with a manifest", async () => {
      await pushed("zzz/last", "1");
      await pushBlob("zzz/only-a-blob", HELLO);
      const { repositories } = (await (await v2("/_catalog")).json()) as { repositories: string[] };
      expect(repositories).toContain("zzz/last");
      expect(repositories).not.toContain("zzz/only-a-blob");
      const one = await v2("/_catalog?n=1");
      expect(one.headers.get("link")).toContain(`last=${encodeURIComponent(repositories[0]!)}`);
    });

    it("of referrers has what is about a manifest, by type, even before it came", async () => {
      const about = { mediaType: OCI_MANIFEST, digest: ABSENT, size: 1 };
      const sbom = await pushed(
        "refer",
        sha256(await manifestOf("refer", { subject: about, artifactType: "sbom", annotations: { a: "b" } })),
        {
          ...{ subject: about, artifactType: "sbom", annotations: { a: "b" } },
        },
      );
      const plain = await manifestOf("refer", { subject: about });
      const put = await pushManifest("refer", "plain", plain);
      expect(put.headers.get("oci-subject")).toBe(ABSENT);
      const all = await v2(`/refer/referrers/${ABSENT}`);
      expect(all.headers.get("content-type")).toBe(OCI_INDEX);
      const descriptors = [
        {
          mediaType: OCI_MANIFEST,
          digest: sbom.digest,
          size: sbom.text.length,
          artifactType: "sbom",
          annotations: { a: "b" },
        },
        {
          mediaType: OCI_MANIFEST,
          digest: sha256(plain),
          size: plain.length,
          artifactType: "application/octet-stream",
        },
      ];
      const body = (await all.json()) as { manifests: unknown[] };
      expect(body).toMatchObject({ schemaVersion: 2, mediaType: OCI_INDEX });
      expect(new Set(body.manifests.map((one) => JSON.stringify(one)))).toEqual(
        new Set(descriptors.map((one) => JSON.stringify(one))),
      );
      const filtered = await v2(`/refer/referrers/${ABSENT}?artifactType=sbom`);
      expect(filtered.headers.get("oci-filters-applied")).toBe("artifactType");
      expect(((await filtered.json()) as { manifests: unknown[] }).manifests).toEqual([descriptors[0]]);
      const none = await v2(`/nobody/referrers/${sha256("x")}`);
      expect([none.status, await none.json()]).toMatchObject([200, { manifests: [] }]);
      expect(await failure(v2("/refer/referrers/sha256:1"))).toEqual([400, "DIGEST_INVALID"]);
    });

    it("of large referrers comes page by page", async () => {
      const subject = { mediaType: OCI_MANIFEST, digest: sha256("large"), size: 1 };
      const digests: string[] = [];
      for (const letter of ["x", "y", "z"]) {
        const { digest } = await pushed("large", letter, {
          subject,
          annotations: { [letter]: letter.repeat(700_000) },
        });
        digests.push(digest);
      }
      const found: string[] = [];
      let pages = 0;
      for (let path: string | undefined = `/v2/large/referrers/${subject.digest}`; path; pages += 1) {
        const answer = await gateway.api(path);
        found.push(
          ...((await answer.json()) as { manifests: { digest: string }[] }).manifests.map((one) => one.digest),
        );
        path = /^<(.*)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
      }
      expect([pages, found]).toEqual([3, digests.sort()]);
    });
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
