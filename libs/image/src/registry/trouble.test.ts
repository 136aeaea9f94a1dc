import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BlobProgress } from "./progress.ts";
import { freePort } from "./testing/docker-registry.ts";
import { blobsOf, emptyStore } from "./testing/images.ts";
import { inspect, MiB, type Peer, startPeer } from "./testing/peer.ts";

describe("when something is in the way,", () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startPeer();
  });
  beforeEach(() => peer.reset());
  afterAll(() => peer.close());

  it("an upload that is cut in the middle ends well", async () => {
    const { front, ours, large, client, treat } = peer;
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
    const { registry, front, ours, large, client, treat } = peer;
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
    const { front, image, client, pushed, treat } = peer;
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
    const { front, client, pushed, treat } = peer;
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
    const { registry, ours, image, client } = peer;
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
    const { registry, ours, client } = peer;
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
});
