import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Digest } from "@mayfly/contract";
import {
  type DockerRegistry,
  type Front,
  type ImageStore,
  type Layer,
  openImageStore,
  registryClient,
  startDockerRegistry,
  startFront,
} from "@mayfly/image";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KEY, startGateway, type TestGateway } from "../testing/gateway.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../../../build/native/layer-tree");

const MiB = 1024 * 1024;
const QUICK = { attempts: 4, first_ms: 5, most_ms: 20, longest_wait_ms: 2_000 };
const skopeo = async (...args: string[]): Promise<string> => (await promisify(execFile)("skopeo", args)).stdout;

describe("other people's tools and our own client find in the registry", () => {
  let gateway: TestGateway;
  let docker: DockerRegistry;
  let front: Front;
  let dir: string;
  let store: ImageStore;
  let image: Digest;
  let large: Digest;
  let ours: string;
  beforeAll(async () => {
    [gateway, docker, dir] = await Promise.all([
      startGateway(),
      startDockerRegistry(),
      mkdtemp(join(tmpdir(), "mayfly-clients-")),
    ]);
    ours = `127.0.0.1:${gateway.port}`;
    front = await startFront(ours);
    store = await openImageStore(join(dir, "store"), { layerTree: LAYER_TREE });
    image = await makeImage(12, 20_000);
    await store.tag("app:1", image);
    await store.tag("small:1", await makeImage(2, 1_000));
    large = await makeImage(1, 8 * MiB);
  });
  beforeEach(() => {
    front.seen.length = 0;
    front.treat = () => undefined;
  });
  afterAll(async () => {
    front.close();
    await docker.close();
    await gateway.close();
    await rm(dir, { recursive: true, force: true });
  });

  async function makeImage(layers: number, bytes: number): Promise<Digest> {
    const made: Layer[] = [];
    for (let at = 0; at < layers; at += 1) {
      const attributes = { mode: 0o644, uid: 0, gid: 0, mtime_s: 1_700_000_000, size_bytes: bytes };
      const entry = { type: "file", path: `file-${at}`, ...attributes, content: randomBytes(bytes) } as const;
      made.push(await store.addLayer([entry], { compression: "gzip" }));
    }
    const created = new Date("2026-01-01T00:00:00Z");
    return store.createImage({ base: null, layers: made, config: {}, history: made.map((_, at) => `${at}`), created });
  }

  const client = (into: ImageStore, credential = { username: "me", password: KEY }, options = {}) =>
    registryClient({ store: into, credential: () => credential, retry: QUICK, ...options });
  const emptyStore = () => openImageStore(join(dir, crypto.randomUUID()), { layerTree: LAYER_TREE });
  const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  const fromOurs = ["--src-creds", `me:${KEY}`];
  const intoOurs = ["--dest-creds", `me:${KEY}`];
  const inspect = async (reference: string) =>
    JSON.parse(await skopeo("inspect", "--tls-verify=false", "--creds", `me:${KEY}`, `docker://${reference}`));

  it("an image of 12 layers, the same in Debian's registry, here and on disk, whoever copies it", async () => {
    await client(store).push("app:1", `${ours}/app:1`);
    expect(await inspect(`${ours}/app:1`)).toMatchObject({ Digest: image, RepoTags: ["1"] });
    await skopeo("copy", "-q", ...plain, ...fromOurs, `docker://${ours}/app:1`, `docker://${docker.host}/app:1`);
    await skopeo("copy", "-q", ...plain, ...intoOurs, `docker://${docker.host}/app:1`, `docker://${ours}/back:1`);
    await skopeo("copy", "-q", ...plain, ...fromOurs, `docker://${ours}/back:1`, `oci:${dir}/layout:1`);
    await skopeo("copy", "-q", ...plain, ...intoOurs, `oci:${dir}/layout:1`, `docker://${ours}/disk:1`);
    const there = await client(await emptyStore()).pull(`${docker.host}/app:1`);
    const target = await emptyStore();
    const back = await client(target).pull(`${ours}/disk:1`);
    expect([there.image, back.image]).toEqual([image, image]);
    expect(await inspect(`${ours}/back:1`)).toMatchObject({ Digest: image });
    expect((await target.fsck()).problems).toEqual([]);
  });

  it("an image in Docker's format, and an index of both, byte for byte", async () => {
    await client(store).push("app:1", `${ours}/formats:oci`);
    await skopeo(
      "copy",
      "-q",
      "--format=v2s2",
      ...plain,
      ...fromOurs,
      ...intoOurs,
      `docker://${ours}/formats:oci`,
      `docker://${ours}/formats:docker`,
    );
    const raw = await skopeo(
      "inspect",
      "--raw",
      "--tls-verify=false",
      "--creds",
      `me:${KEY}`,
      `docker://${ours}/formats:docker`,
    );
    expect(JSON.parse(raw).mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json");
    await skopeo(
      "copy",
      "-q",
      ...plain,
      ...fromOurs,
      `docker://${ours}/formats:docker`,
      `docker://${docker.host}/formats:docker`,
    );
    const theirs = await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${docker.host}/formats:docker`);
    expect(theirs).toBe(raw);
  });

  it("a login with the key, and none with another", async () => {
    const authfile = join(dir, "auth.json");
    const login = (key: string) =>
      skopeo("login", "--authfile", authfile, "--tls-verify=false", "-u", "me", "-p", key, ours);
    await expect(login("wrong")).rejects.toThrow(/unauthorized|invalid username\/password/i);
    expect(await login(KEY)).toContain("Login Succeeded");
    const wrong = client(store, { username: "me", password: "wrong" }).push("app:1", `${ours}/x:1`);
    await expect(wrong).rejects.toMatchObject({ reason: "unauthorized" });
  });

  it("one download of each blob for 8 pulls at once", async () => {
    await client(store).push("app:1", `${ours}/eight:1`);
    const shared = client(await emptyStore());
    await Promise.all(Array.from({ length: 8 }, () => shared.pull(`${front.host}/eight:1`)));
    expect(front.count("GET", /\/blobs\//)).toBe(13);
  });

  it.each([
    ["whole", null],
    ["in chunks", 3 * MiB],
  ])("what came of an upload that was cut %s, and only the rest is sent again", async (name, chunk_bytes) => {
    let cuts = 2;
    front.treat = ({ method }) => {
      if (method !== "PATCH" || cuts === 0) return undefined;
      cuts -= 1;
      return { kind: "cut-request", after_bytes: 2 * MiB };
    };
    const to = `${front.host}/cut-${name.replace(" ", "-")}:1`;
    await client(store, undefined, { chunk_bytes }).push(large, to);
    const { manifest } = await store.image(large);
    const sent = front.seen.reduce((sum, one) => sum + (one.method === "PATCH" ? one.sent_bytes : 0), 0);
    // What was on its way when the line broke may be lost, twice; an upload that starts anew would send 2 MiB more each time.
    expect(sent).toBeLessThan(manifest.layers[0]!.size + 3 * MiB);
    expect(front.seen.filter((one) => /^[1-9]\d*-/.test(one.headers["content-range"] ?? ""))).not.toEqual([]);
    expect(front.count("POST", /./)).toBe(2);
    expect((await client(await emptyStore()).pull(to)).image).toBe(large);
  });

  it("a download that was cut, from where it was cut", async () => {
    await client(store).push(large, `${ours}/cut-down:1`);
    const { manifest } = await store.image(large);
    let cuts = 2;
    front.treat = ({ url }) => {
      if (!url.endsWith(manifest.layers[0]!.digest) || cuts === 0) return undefined;
      cuts -= 1;
      return { kind: "cut-answer", after_bytes: 2 * MiB };
    };
    expect((await client(await emptyStore()).pull(`${front.host}/cut-down:1`)).image).toBe(large);
    const ranges = front.seen.flatMap((one) => one.headers.range ?? []);
    expect(ranges).toHaveLength(2);
    expect(front.seen.filter((one) => one.headers.range).map((one) => one.status)).toEqual([206, 206]);
  });

  it("blobs of another repository without sending them again", async () => {
    const shared = client(store);
    await shared.push("small:1", `${ours}/mount/from:1`);
    const states: string[] = [];
    await shared.push("small:1", `${ours}/mount/to:1`, { onProgress: ({ state }) => states.push(state) });
    expect(states).toEqual(Array(3).fill("mounted"));
  });
});
