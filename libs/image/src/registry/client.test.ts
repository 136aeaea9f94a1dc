import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Digest } from "@mayfly/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../digest.ts";
import { type ImageStore, openImageStore } from "../store.ts";
import { registryClient } from "./client.ts";
import type { BlobProgress } from "./progress.ts";
import { type DockerRegistry, freePort, startDockerRegistry } from "./testing/docker-registry.ts";
import { type Front, startFront, type Treatment } from "./testing/front.ts";
import { blobsOf, emptyStore, makeImage } from "./testing/images.ts";

const QUICK = { attempts: 4, first_ms: 5, most_ms: 20, longest_wait_ms: 2_000 };
const INDEX = "application/vnd.oci.image.index.v1+json";
const MiB = 1024 * 1024;

const skopeo = async (...args: string[]): Promise<string> => (await promisify(execFile)("skopeo", args)).stdout;
const inspect = async (reference: string): Promise<Record<string, unknown>> =>
  JSON.parse(await skopeo("inspect", "--tls-verify=false", `docker://${reference}`));

describe("against Debian's docker-registry", () => {
  let registry: DockerRegistry;
  let front: Front;
  let ours: ImageStore;
  let dir: string;
  let image: Digest;
  let large: Digest;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    front = await startFront(registry.host);
    dir = await mkdtemp(join(tmpdir(), "mayfly-image-"));
    ours = await openImageStore(dir);
    image = await makeImage(ours, 12, 20_000);
    await ours.tag("app:1", image);
    large = await makeImage(ours, 1, 4 * MiB);
  });
  beforeEach(() => {
    front.seen.length = 0;
    front.treat = () => undefined;
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
    front.close();
    await registry.close();
  });

  const client = (store: ImageStore, options = {}) => registryClient({ store, retry: QUICK, ...options });
  const pushed = async (name: string) => {
    await client(ours).push("app:1", `${front.host}/${name}`);
    front.seen.length = 0;
  };
  /** Treats the first requests that fit, and lets those after them pass. */
  const treat = (method: string, url: RegExp, treatment: Treatment, times = 1) => {
    let left = times;
    front.treat = (seen) => {
      if (seen.method !== method || !url.test(seen.url) || left === 0) return undefined;
      left -= 1;
      return treatment;
    };
  };

  it("an image of 12 layers that is pushed and pulled is the same there and here, byte for byte", async () => {
    expect(await client(ours).push("app:1", `${registry.host}/round/trip:1`)).toBe(image);
    expect(await inspect(`${registry.host}/round/trip:1`)).toMatchObject({ Digest: image });
    const theirs = await emptyStore();
    const pulled = await client(theirs).pull(`${registry.host}/round/trip:1`);
    expect(pulled).toEqual({ digest: image, image });
    expect(await theirs.resolve(`${registry.host}/round/trip:1`)).toBe(image);
    expect(await blobsOf(theirs, image)).toEqual(await blobsOf(ours, image));
    expect((await theirs.fsck()).problems).toEqual([]);
  });

  it("what skopeo copied on and what we pull are equal", async () => {
    await client(ours).push("app:1", `${registry.host}/copied/from:1`);
    const [from, to] = [`${registry.host}/copied/from:1`, `${registry.host}/copied/to:2`];
    await skopeo(
      "copy",
      "-q",
      "--src-tls-verify=false",
      "--dest-tls-verify=false",
      `docker://${from}`,
      `docker://${to}`,
    );
    const theirs = await emptyStore();
    expect((await client(theirs).pull(`${registry.host}/copied/to:2`)).digest).toBe(image);
    expect(await blobsOf(theirs, image)).toEqual(await blobsOf(ours, image));
  });

  it("a pull by digest checks it and makes no tag", async () => {
    await pushed("by-digest:1");
    const theirs = await emptyStore();
    await client(theirs).pull(`${front.host}/by-digest@${image}`);
    expect(await theirs.resolve(image)).toBe(image);
    expect([...(await theirs.tags())]).toEqual([]);
  });

  it("8 callers that pull one image at once download each blob once", async () => {
    await pushed("eight:1");
    const theirs = await emptyStore();
    const shared = client(theirs);
    const all = await Promise.all(Array.from({ length: 8 }, () => shared.pull(`${front.host}/eight:1`)));
    expect(new Set(all.map((one) => one.image))).toEqual(new Set([image]));
    expect(front.count("GET", /\/blobs\//)).toBe(13);
    expect(new Set(front.seen.filter((one) => /\/blobs\//.test(one.url)).map((one) => one.url)).size).toBe(13);
  });

  it("a caller that goes away does not take the others' download along", async () => {
    await pushed("leaver:1");
    const theirs = await emptyStore();
    const shared = client(theirs, { parallel: 1 });
    const leaver = new AbortController();
    const onProgress = ({ state }: BlobProgress) => void (state === "done" && leaver.abort());
    const left = shared.pull(`${front.host}/leaver:1`, { signal: leaver.signal, onProgress });
    const stayed = shared.pull(`${front.host}/leaver:1`);
    await expect(left).rejects.toThrow(/abort/);
    expect((await stayed).image).toBe(image);
    expect(front.count("GET", /\/blobs\//)).toBe(13);
  });

  it("what is there already is neither sent nor fetched again", async () => {
    await pushed("again:1");
    const progress: BlobProgress[] = [];
    await client(ours).push("app:1", `${front.host}/again:2`, { onProgress: (one) => progress.push(one) });
    expect(progress.map(({ state }) => state)).toEqual(Array(13).fill("present"));
    expect([front.count("POST", /./), front.count("PATCH", /./), front.count("PUT", /manifests/)]).toEqual([0, 0, 1]);
    const theirs = await emptyStore();
    await client(theirs).pull(`${front.host}/again:2`);
    front.seen.length = 0;
    await client(theirs).pull(`${front.host}/again:1`);
    expect(front.count("GET", /\/blobs\//)).toBe(0);
  });

  it("a blob that another repository has is mounted", async () => {
    const shared = client(ours);
    await shared.push("app:1", `${front.host}/mount/from:1`);
    front.seen.length = 0;
    const progress: BlobProgress[] = [];
    await shared.push("app:1", `${front.host}/mount/to:1`, { onProgress: (one) => progress.push(one) });
    expect(progress.map(({ state }) => state)).toEqual(Array(13).fill("mounted"));
    expect([front.count("POST", /mount=.*from=mount%2Ffrom/), front.count("PATCH", /./)]).toEqual([13, 0]);
    expect(await inspect(`${registry.host}/mount/to:1`)).toMatchObject({ Digest: image });
  });

  it("an image in Docker's format is fetched byte for byte", async () => {
    await client(ours).push("app:1", `${registry.host}/docker:oci`);
    const [from, to] = [`docker://${registry.host}/docker:oci`, `docker://${registry.host}/docker:v2s2`];
    await skopeo("copy", "-q", "--format=v2s2", "--src-tls-verify=false", "--dest-tls-verify=false", from, to);
    const raw = await skopeo("inspect", "--raw", "--tls-verify=false", to);
    const digest = sha256(Buffer.from(raw));
    const theirs = await emptyStore();
    expect(await client(theirs).pull(`${registry.host}/docker@${digest}`)).toEqual({ digest, image: digest });
    expect((await theirs.blobs.read(digest, MiB)).toString()).toBe(raw);
    const layers = (await ours.image(image)).manifest.layers.map((layer) => layer.digest);
    expect(await Promise.all(layers.map((layer) => theirs.blobs.has(layer)))).toEqual(layers.map(() => true));
    await client(theirs).push(digest, `${registry.host}/docker:again`);
    expect(await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${registry.host}/docker:again`)).toBe(raw);
  });

  it("an index is pushed with all that it names, and pulled for one platform or for all", async () => {
    const other = await makeImage(ours, 1, 1_000);
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const entry = async (digest: Digest, architecture: string) => ({
      ...{ mediaType, digest, size: (await ours.blobs.read(digest, MiB)).byteLength },
      platform: { os: "linux", architecture },
    });
    const manifests = [await entry(other, "s390x"), await entry(image, "amd64")];
    // Blanks and an order of its own: whoever writes it anew changes its digest.
    const index = JSON.stringify({ manifests, schemaVersion: 2, mediaType: INDEX }, null, 3);
    const { digest } = await ours.blobs.put(Buffer.from(index));
    await client(ours).push(digest, `${registry.host}/many:1`);
    const [one, all] = [await emptyStore(), await emptyStore()];
    const amd64 = { os: "linux", architecture: "amd64" };
    expect(await client(one).pull(`${registry.host}/many:1`, { platform: amd64 })).toEqual({ digest, image });
    expect(await one.blobs.has(other)).toBe(false);
    await client(all).pull(`${registry.host}/many@${digest}`, { platform: "all" });
    expect((await all.blobs.read(digest, MiB)).toString()).toBe(index);
    expect([await all.blobs.has(other), await all.blobs.has(image)]).toEqual([true, true]);
    const none = client(one).pull(`${registry.host}/many:1`, { platform: { os: "linux", architecture: "riscv64" } });
    await expect(none).rejects.toThrow("has no image for linux/riscv64; it has linux/s390x, linux/amd64");
    await one.blobs.put(Buffer.from(index));
    await expect(client(one).push(digest, `${registry.host}/half:1`)).rejects.toMatchObject({
      ...{ reason: "missing", message: expect.stringContaining(other) },
    });
  });

  it("a blob goes up in chunks when it is told to", async () => {
    await client(ours, { chunk_bytes: 5 * MiB }).push("app:1", `${front.host}/whole:1`);
    expect(front.seen.some((one) => one.headers["content-range"])).toBe(false);
    await client(ours, { chunk_bytes: 1.5 * MiB }).push(large, `${front.host}/chunks:1`);
    const ranges = front.seen.flatMap((one) => one.headers["content-range"] ?? []);
    expect(ranges.map((range) => range.split("-")[0])).toEqual(["0", "1572864", "3145728"]);
    expect(await inspect(`${registry.host}/chunks:1`)).toMatchObject({ Digest: large });
  });

  it("an upload that is cut in the middle ends well", async () => {
    for (const chunk_bytes of [null, MiB]) {
      treat("PATCH", /./, { kind: "cut-request", after_bytes: 0.6 * MiB }, 2);
      const again: string[] = [];
      const onProgress = ({ state, reason }: BlobProgress) => void (state === "again" && again.push(reason!));
      const to = `${front.host}/cut-${chunk_bytes}:1`;
      await client(ours, { chunk_bytes }).push(large, to, { onProgress });
      expect(again).toHaveLength(2);
      expect(await inspect(to)).toMatchObject({ Digest: large });
    }
  });

  it("a download that is cut goes on where it was cut", async () => {
    await client(ours).push(large, `${registry.host}/cut-down:1`);
    const { manifest } = await ours.image(large);
    treat("GET", new RegExp(manifest.layers[0]!.digest), { kind: "cut-answer", after_bytes: MiB }, 2);
    const theirs = await emptyStore();
    await client(theirs).pull(`${front.host}/cut-down:1`);
    const ranges = front.seen.flatMap((one) => one.headers.range ?? []);
    expect(ranges).toHaveLength(2);
    expect(Number(/^bytes=(\d+)-$/.exec(ranges[0]!)![1])).toBeGreaterThanOrEqual(MiB);
    expect(await blobsOf(theirs, large)).toEqual(await blobsOf(ours, large));
  });

  it("a blob whose bytes are not those of its digest is refused, and nothing of it is kept", async () => {
    await pushed("flipped:1");
    treat("GET", /\/blobs\//, { kind: "flip" }, 99);
    const theirs = await emptyStore();
    const pulling = client(theirs).pull(`${front.host}/flipped:1`);
    await expect(pulling).rejects.toMatchObject({
      reason: "refused",
      message: expect.stringMatching(/^127.*\/flipped: .*sha256:/),
    });
    expect(await Array.fromAsync(theirs.blobs.list())).toEqual([]);
    treat("GET", /\/manifests\//, { kind: "flip" }, 99);
    const byDigest = client(theirs).pull(`${front.host}/flipped@${image}`);
    await expect(byDigest).rejects.toMatchObject({ reason: "corrupt" });
    expect(await Array.fromAsync(theirs.blobs.list())).toEqual([]);
  });

  it("a busy registry is asked again when it says so, and not for ever", async () => {
    await pushed("busy:1");
    treat("GET", /\/manifests\//, { kind: "answer", status: 503, headers: { "retry-after": "1" } });
    const began = performance.now();
    await client(await emptyStore()).pull(`${front.host}/busy:1`);
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
    treat("GET", /\/manifests\//, { kind: "answer", status: 500, body: "out of order" }, 99);
    front.seen.length = 0;
    const doomed = client(await emptyStore()).pull(`${front.host}/busy:1`);
    await expect(doomed).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringMatching(/pulling .*\/busy:1: .* answered GET .* with 500 \(out of order\); 4 tries/),
    });
    expect(front.count("GET", /\/manifests\//)).toBe(4);
    treat("GET", /\/manifests\//, { kind: "answer", status: 429, headers: { "retry-after": "3600" } }, 99);
    const later = client(await emptyStore()).pull(`${front.host}/busy:1`);
    await expect(later).rejects.toThrow(/it asks to come back in 3600 s/);
  });

  it("nothing of a blob is held in memory, whichever way it goes", async () => {
    const size = 64 * MiB;
    const zeros = async function* () {
      for (let at = 0; at < 64; at += 1) yield Buffer.alloc(MiB);
    };
    const { digest } = await ours.blobs.put(zeros());
    const { manifest } = await ours.image(image);
    const layers = [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size }];
    const heavy = (await ours.blobs.put(Buffer.from(JSON.stringify({ ...manifest, layers })))).digest;
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    let most = 0;
    let looked = 0;
    /** Every few MiB: what is still held when all that can go has gone. */
    const onProgress = ({ done_bytes }: BlobProgress) => {
      if (Math.abs(done_bytes - looked) < 8 * MiB) return;
      looked = done_bytes;
      collect();
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    };
    await client(ours).push(heavy, `${registry.host}/heavy:1`, { onProgress });
    await client(await emptyStore()).pull(`${registry.host}/heavy@${heavy}`, { onProgress });
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(24 * MiB);
  });

  it("what is not there is told by registry, repository and tag", async () => {
    const missing = client(await emptyStore()).pull(`${registry.host}/no/such:thing`);
    await expect(missing).rejects.toMatchObject({
      reason: "missing",
      message: expect.stringMatching(
        /^pulling 127\.0\.0\.1:\d+\/no\/such:thing: .*404 \(MANIFEST_UNKNOWN.*is the name right/,
      ),
    });
    const unknown = client(ours).push("nothing:1", `${registry.host}/x`);
    await expect(unknown).rejects.toMatchObject({ reason: "missing", message: expect.stringContaining("nothing:1") });
    const nobody = client(ours).pull(`127.0.0.1:${await freePort()}/x`);
    await expect(nobody).rejects.toMatchObject({
      reason: "unavailable",
      message: expect.stringMatching(/^pulling 127.0.0.1:\d+\/x:latest: .*ECONNREFUSED.*try again later/),
    });
  });

  it("a redirect to another host gets no credential", async () => {
    await pushed("redirected:1");
    const elsewhere = await startFront(registry.host);
    front.treat = (seen) =>
      /\/blobs\//.test(seen.url)
        ? { kind: "answer", status: 307, headers: { location: `http://${elsewhere.host}${seen.url}` } }
        : undefined;
    const credential = () => ({ username: "me", password: "secret" });
    const challenge = { "www-authenticate": 'Basic realm="x"' };
    const { treat: redirect } = front;
    front.treat = (seen) =>
      seen.headers.authorization ? redirect(seen) : { kind: "answer", status: 401, headers: challenge };
    const theirs = await emptyStore();
    await client(theirs, { credential }).pull(`${front.host}/redirected:1`);
    elsewhere.close();
    expect(elsewhere.seen).toHaveLength(13);
    expect(elsewhere.seen.filter((one) => one.headers.authorization)).toEqual([]);
    expect(await blobsOf(theirs, image)).toEqual(await blobsOf(ours, image));
  });

  it("a redirect out of this machine in plain HTTP is not followed, nor one for ever", async () => {
    const answer = (location: string): Treatment => ({ kind: "answer", status: 307, headers: { location } });
    front.treat = () => answer("http://registry.invalid/v2/");
    const plain = client(ours).pull(`${front.host}/x`);
    await expect(plain).rejects.toMatchObject({ reason: "refused", message: expect.stringContaining("plain HTTP") });
    front.treat = ({ method, url }) => (method === "PATCH" ? answer(url) : undefined);
    await expect(client(ours).push(large, `${front.host}/moved:1`)).rejects.toMatchObject({ reason: "refused" });
    front.seen.length = 0;
    front.treat = ({ url }) => answer(url);
    await expect(client(ours).pull(`${front.host}/x`)).rejects.toMatchObject({ reason: "refused" });
    expect(front.seen.length).toBeLessThan(8);
  });
});
