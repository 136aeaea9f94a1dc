import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../testing/gateway.ts";
import { ABSENT, HELLO, OCI_INDEX, OCI_MANIFEST, registryClient, sha256 } from "../testing/registry-client.ts";

/** The distribution spec, request by request, where it is about manifests. */
describe("the registry's manifests and lists", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  const { v2, send, failure, pushBlob, manifestOf, pushManifest, pushed } = registryClient(() => gateway);

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
});
