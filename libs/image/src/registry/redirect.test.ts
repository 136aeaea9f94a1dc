import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startFront, type Treatment } from "./testing/front.ts";
import { blobsOf, emptyStore } from "./testing/images.ts";
import { type Peer, startPeer } from "./testing/peer.ts";

describe("a registry that redirects", () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startPeer();
  });
  beforeEach(() => peer.reset());
  afterAll(() => peer.close());

  it("a redirect to another host gets no credential", async () => {
    const { registry, front, ours, image, client, pushed } = peer;
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
    expect(elsewhere.seen).toHaveLength(4);
    expect(elsewhere.seen.filter((one) => one.headers.authorization)).toEqual([]);
    expect(await blobsOf(theirs, image)).toEqual(await blobsOf(ours, image));
  });

  it("a redirect out of this machine in plain HTTP is not followed, nor one for ever", async () => {
    const { front, ours, large, client } = peer;
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
