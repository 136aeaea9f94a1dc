import type { Digest } from "@mayfly/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../digest.ts";
import type { BlobProgress } from "./progress.ts";
import { builtCourier } from "./testing/courier.ts";
import { blobsOf, emptyStore, makeImage } from "./testing/images.ts";
import { inspect, MiB, type Peer, skopeo, startPeer } from "./testing/peer.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const PLAIN = ["--src-tls-verify=false", "--dest-tls-verify=false"];

/** As a worker does it: by a courier. What its exchanges go through without one, trouble.test.ts and its like show. */
describe("against Debian's docker-registry", () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startPeer(builtCourier());
  });
  beforeEach(() => peer.reset());
  afterAll(() => peer.close());

  it("an image of 12 layers, pushed by us, copied on by skopeo and pulled, is the same byte for byte", async () => {
    const { registry, ours, client } = peer;
    const image = await makeImage(ours, 12, 20_000);
    expect(await client(ours).push(image, `${registry.host}/round/trip:1`)).toBe(image);
    const [from, to] = [`${registry.host}/round/trip:1`, `${registry.host}/copied/to:2`];
    expect(await inspect(from)).toMatchObject({ Digest: image });
    await skopeo("copy", "-q", ...PLAIN, `docker://${from}`, `docker://${to}`);
    for (const reference of [from, to]) {
      const theirs = await emptyStore();
      expect(await client(theirs).pull(reference)).toEqual({ digest: image, image });
      expect(await theirs.resolve(reference)).toBe(image);
      expect(await blobsOf(theirs, image)).toEqual(await blobsOf(ours, image));
      expect((await theirs.fsck()).problems).toEqual([]);
    }
  });

  it("a pull by digest checks it and makes no tag", async () => {
    const { front, image, client, pushed } = peer;
    await pushed("by-digest:1");
    const theirs = await emptyStore();
    await client(theirs).pull(`${front.host}/by-digest@${image}`);
    expect(await theirs.resolve(image)).toBe(image);
    expect([...(await theirs.tags())]).toEqual([]);
  });

  it("8 callers that pull one image at once download each blob once", async () => {
    const { front, image, client, pushed } = peer;
    await pushed("eight:1");
    const theirs = await emptyStore();
    const shared = client(theirs);
    const all = await Promise.all(Array.from({ length: 8 }, () => shared.pull(`${front.host}/eight:1`)));
    expect(new Set(all.map((one) => one.image))).toEqual(new Set([image]));
    expect(front.count("GET", /\/blobs\//)).toBe(4);
    expect(new Set(front.seen.filter((one) => /\/blobs\//.test(one.url)).map((one) => one.url)).size).toBe(4);
  });

  it("a caller that goes away does not take the others' download along", async () => {
    const { front, image, client, pushed } = peer;
    await pushed("leaver:1");
    const theirs = await emptyStore();
    const shared = client(theirs, { parallel: 1 });
    const leaver = new AbortController();
    const onProgress = ({ state }: BlobProgress) => void (state === "done" && leaver.abort());
    const left = shared.pull(`${front.host}/leaver:1`, { signal: leaver.signal, onProgress });
    const stayed = shared.pull(`${front.host}/leaver:1`);
    await expect(left).rejects.toThrow(/abort/);
    expect((await stayed).image).toBe(image);
    expect(front.count("GET", /\/blobs\//)).toBe(4);
  });

  it("what is there already is neither sent nor fetched again", async () => {
    const { front, ours, client, pushed } = peer;
    await pushed("again:1");
    const progress: BlobProgress[] = [];
    await client(ours).push("app:1", `${front.host}/again:2`, { onProgress: (one) => progress.push(one) });
    expect(progress.map(({ state }) => state)).toEqual(Array(4).fill("present"));
    expect([front.count("POST", /./), front.count("PATCH", /./), front.count("PUT", /manifests/)]).toEqual([0, 0, 1]);
    const theirs = await emptyStore();
    await client(theirs).pull(`${front.host}/again:2`);
    front.seen.length = 0;
    await client(theirs).pull(`${front.host}/again:1`);
    expect(front.count("GET", /\/blobs\//)).toBe(0);
  });

  it("a blob that another repository has is mounted", async () => {
    const { registry, front, ours, image, client } = peer;
    const shared = client(ours);
    await shared.push("app:1", `${front.host}/mount/from:1`);
    front.seen.length = 0;
    const progress: BlobProgress[] = [];
    await shared.push("app:1", `${front.host}/mount/to:1`, { onProgress: (one) => progress.push(one) });
    expect(progress.map(({ state }) => state)).toEqual(Array(4).fill("mounted"));
    expect([front.count("POST", /mount=.*from=mount%2Ffrom/), front.count("PATCH", /./)]).toEqual([4, 0]);
    expect(await inspect(`${registry.host}/mount/to:1`)).toMatchObject({ Digest: image });
  });

  it("an image in Docker's format is fetched byte for byte", async () => {
    const { registry, ours, image, client } = peer;
    await client(ours).push("app:1", `${registry.host}/docker:oci`);
    const [from, to] = [`docker://${registry.host}/docker:oci`, `docker://${registry.host}/docker:v2s2`];
    await skopeo("copy", "-q", "--format=v2s2", ...PLAIN, from, to);
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
    const { registry, ours, image, client } = peer;
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
    const { registry, front, ours, large, client } = peer;
    await client(ours, { chunk_bytes: 5 * MiB }).push("app:1", `${front.host}/whole:1`);
    expect(front.seen.some((one) => one.headers["content-range"])).toBe(false);
    await client(ours, { chunk_bytes: 1.5 * MiB }).push(large, `${front.host}/chunks:1`);
    const ranges = front.seen.flatMap((one) => one.headers["content-range"] ?? []);
    expect(ranges.map((range) => range.split("-")[0])).toEqual(["0", "1572864", "3145728"]);
    expect(await inspect(`${registry.host}/chunks:1`)).toMatchObject({ Digest: large });
  });
});
