import { describe, expect, it } from "vitest";
import { sha256 } from "../digest.ts";
import { type Descriptor, MEDIA_TYPE, type Platform } from "../oci.ts";
import { archive, file, inChunks } from "../testing/archive.ts";
import { TestStore } from "../testing/store.ts";
import { parseDocument } from "./document.ts";
import { isFor, manifestsFor, offeredPlatforms, parsePlatform } from "./platform.ts";

const digest = (text: string) => sha256(Buffer.from(text));
const part = (mediaType: string, text = "x"): Descriptor => ({ mediaType, digest: digest(text), size: 1 });
const MANIFEST = {
  schemaVersion: 2,
  config: part(MEDIA_TYPE.config),
  layers: [part("application/vnd.oci.image.layer.v1.tar+gzip")],
};
const parse = (value: unknown, called: string | null = null) =>
  parseDocument(Buffer.from(JSON.stringify(value)), "it", called);

describe("a document", () => {
  it.each<[string, unknown, string, string]>([
    ["an OCI manifest", { ...MANIFEST, mediaType: MEDIA_TYPE.manifest }, "manifest", MEDIA_TYPE.manifest],
    ["an OCI manifest that does not say so", MANIFEST, "manifest", MEDIA_TYPE.manifest],
    [
      "a manifest of Docker's",
      { ...MANIFEST, mediaType: MEDIA_TYPE.dockerManifest },
      "manifest",
      MEDIA_TYPE.dockerManifest,
    ],
    ["an index", { schemaVersion: 2, manifests: [part(MEDIA_TYPE.manifest)] }, "index", MEDIA_TYPE.index],
    [
      "a list of Docker's",
      { schemaVersion: 2, mediaType: MEDIA_TYPE.dockerList, manifests: [] },
      "index",
      MEDIA_TYPE.dockerList,
    ],
  ])("is %s", (_, value, kind, mediaType) => {
    expect(parse(value)).toMatchObject({ kind, mediaType });
  });

  it("is what it says itself, else what its registry calls it, else what it looks like", () => {
    const { dockerManifest, manifest } = MEDIA_TYPE;
    expect(parse(MANIFEST, `${dockerManifest}; charset=utf-8`).mediaType).toBe(dockerManifest);
    expect(parse(MANIFEST, "text/plain").mediaType).toBe(manifest);
    expect(parse({ ...MANIFEST, mediaType: dockerManifest }, "text/plain").mediaType).toBe(dockerManifest);
    expect(() => parse({ ...MANIFEST, mediaType: manifest }, dockerManifest)).toThrow(/is called .* says of itself/);
    expect(() => parse(MANIFEST, MEDIA_TYPE.index)).toThrow(/it has no manifests/);
  });

  it.each<[string, unknown, string]>([
    ["of schema 1", { schemaVersion: 1, fsLayers: [] }, "schemaVersion is 1"],
    ["that is both", { ...MANIFEST, manifests: [] }, "it could be either"],
    ["of another type", { ...MANIFEST, mediaType: "text/plain" }, "text/plain"],
    ["without layers", { ...MANIFEST, layers: undefined }, "it has no layers"],
    ["with layers that are no list", { ...MANIFEST, layers: {} }, "it has no layers"],
    [
      "with another kind of digest",
      { ...MANIFEST, config: { ...part("x"), digest: `sha512:${"0".repeat(128)}` } },
      "is no digest",
    ],
    ["with a size that is a text", { ...MANIFEST, layers: [{ ...part("x"), size: "1" }] }, "is no count"],
    ["without a config", { ...MANIFEST, config: undefined }, "is no digest"],
    [
      "with a digest that climbs",
      { ...MANIFEST, layers: [{ ...part("x"), digest: "sha256:../../x" }] },
      "is no digest",
    ],
    ["with a negative size", { ...MANIFEST, layers: [{ ...part("x"), size: -1 }] }, "the size -1"],
    ["with a layer of no type", { ...MANIFEST, layers: [{ digest: digest("x"), size: 1 }] }, "no mediaType"],
  ])("%s is refused, saying why", (_, value, why) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({ reason: "unsupported", message: expect.stringContaining(why) }),
    );
  });

  it.each(["", "[]", "null", "{", '{"a":"\ud800"}'.slice(0, 5), "\xff"])("%j is corrupt", (text) => {
    expect(() => parseDocument(Buffer.from(text, "latin1"), "it")).toThrow(
      expect.objectContaining({ reason: "corrupt" }),
    );
  });
});

describe("an index", () => {
  const entry = (name: string, platform?: Platform): Descriptor => ({
    ...part(MEDIA_TYPE.manifest, name),
    ...(platform && { platform }),
  });
  const linux = (architecture: string, variant?: string): Platform => ({
    os: "linux",
    architecture,
    ...(variant && { variant }),
  });
  const ALL = [
    entry("attestation", { os: "unknown", architecture: "unknown" }),
    entry("windows", { os: "windows", architecture: "amd64" }),
    entry("v6", linux("arm", "v6")),
    entry("v5", linux("arm", "v5")),
    entry("v7", linux("arm", "v7")),
    entry("arm64", linux("arm64", "v8")),
    entry("amd64", linux("amd64")),
    entry("amd64 again", linux("amd64")),
    entry("no platform"),
  ];
  it.each<[Platform, string[]]>([
    [linux("amd64"), ["amd64", "amd64 again"]],
    [linux("x86_64"), ["amd64", "amd64 again"]],
    [linux("arm64"), ["arm64"]],
    [linux("aarch64", "v8"), ["arm64"]],
    [linux("amd64", "v3"), ["amd64", "amd64 again"]],
    [linux("arm"), ["v7", "v6", "v5"]],
    [linux("arm", "v6"), ["v6", "v5"]],
    [linux("s390x"), ["no platform"]],
    [{ os: "windows", architecture: "amd64" }, ["windows"]],
  ])("for %j offers %j", (platform, names) => {
    expect(manifestsFor(ALL, platform).map((found) => found.digest)).toEqual(names.map(digest));
  });

  it.each([
    ["linux/amd64", "linux/amd64", true],
    ["amd64", "linux/x86_64/v1", true],
    ["Linux/AARCH64", "linux/arm64/v8", true],
    ["linux/arm/v6", "linux/arm", false],
    ["linux/arm64", "linux/amd64", false],
    ["windows/amd64", "linux/amd64", false],
  ])("that is for %s and wanted for %s: %s", (offered, wanted, fits) => {
    expect(isFor(parsePlatform(offered), parsePlatform(wanted))).toBe(fits);
  });

  it("of several levels offers none that is too high, and the highest of the others first", () => {
    const levels = ["v3", "v1", "v2"].map((variant) => entry(variant, linux("amd64", variant)));
    const found = (variant?: string) => manifestsFor(levels, linux("amd64", variant)).map(({ digest }) => digest);
    expect(found()).toEqual([digest("v1")]);
    expect(found("v2")).toEqual(["v2", "v1"].map(digest));
    expect(offeredPlatforms([...levels.slice(1), entry("x", { os: "unknown", architecture: "unknown" })])).toEqual([
      "linux/amd64/v1",
      "linux/amd64/v2",
    ]);
  });

  it("without platforms offers what it has", () => {
    expect(manifestsFor([entry("one"), entry("other")], linux("amd64")).map((found) => found.digest)).toEqual(
      ["one", "other"].map(digest),
    );
  });

  it("stands for the image of this host, keeps its bytes, and may lie in another", async () => {
    const test = await TestStore.forTest();
    const { blobs } = test.store;
    const image = await test.image(archive(file("a", "x")));
    const put = async (value: unknown) => (await blobs.put(Buffer.from(JSON.stringify(value, null, 3)))).digest;
    const ours = {
      ...part(MEDIA_TYPE.manifest),
      digest: image,
      platform: (await import("./platform.ts")).HOST_PLATFORM,
    };
    const inner = await put({ schemaVersion: 2, manifests: [entry("elsewhere", linux("s390x")), ours] });
    const outer = await put({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.dockerList,
      manifests: [{ ...part(MEDIA_TYPE.index), digest: inner }],
    });
    await test.store.tag("multi:1", outer);
    expect(await test.store.resolve("multi:1")).toBe(outer);
    expect((await test.store.image(outer)).digest).toBe(image);
    expect((await test.store.rootfs(outer)).lower).toHaveLength(1);
    await expect(test.store.image(outer, linux("s390x"))).rejects.toMatchObject({ reason: "missing" });
    expect(await test.store.images()).toMatchObject([{ digest: outer, tags: ["multi:1"], layers: 1 }]);
    const before = new Date(Date.now() + 60_000);
    expect(await test.store.gc({ keep: [], before })).toMatchObject({ blobs: 0, snapshots: 0 });
  });

  it("of indexes without an end is refused", async () => {
    const test = await TestStore.forTest();
    let inner = await test.image(archive(file("a", "x")));
    for (let depth = 0; depth < 6; depth++) {
      const value = { schemaVersion: 2, manifests: [{ ...part(MEDIA_TYPE.index), digest: inner }] };
      inner = (await test.store.blobs.put(Buffer.from(JSON.stringify(value)))).digest;
    }
    await expect(test.store.image(inner)).rejects.toMatchObject({ reason: "unsupported" });
  });
});

describe("an image of Docker's", () => {
  it("runs, keeps its manifest's bytes, and what is made on it is OCI's", async () => {
    const test = await TestStore.forTest();
    const { store } = test;
    const layer = await store.adoptLayer(inChunks(archive(file("a", "x"))));
    const config = await store.blobs.put(
      Buffer.from(
        JSON.stringify({
          architecture: "amd64",
          os: "linux",
          config: { Cmd: ["/a"] },
          rootfs: { type: "layers", diff_ids: [layer.diff_id] },
        }),
      ),
    );
    const bytes = Buffer.from(
      JSON.stringify(
        {
          schemaVersion: 2,
          mediaType: MEDIA_TYPE.dockerManifest,
          config: { mediaType: MEDIA_TYPE.dockerConfig, digest: config.digest, size: config.size_bytes },
          layers: [
            {
              mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
              digest: layer.digest,
              size: layer.size_bytes,
            },
          ],
        },
        null,
        2,
      ),
    );
    const { digest: docker } = await store.blobs.put(bytes);
    await store.tag("docker:1", docker);
    expect(docker).toBe(sha256(bytes));
    expect((await store.rootfs(docker)).lower).toHaveLength(1);
    const child = await store.createImage({
      base: docker,
      layers: [],
      config: { User: "1" },
      history: ["USER 1"],
      created: new Date(0),
    });
    const { manifest, config: made } = await store.image(child);
    expect(manifest.layers[0]!.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
    expect(made).toMatchObject({
      config: { Cmd: ["/a"], User: "1" },
      history: [{ created_by: "USER 1", empty_layer: true }],
    });
  });
});
