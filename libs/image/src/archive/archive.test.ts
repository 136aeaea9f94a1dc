import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Digest } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { hexOf, sha256 } from "../digest.ts";
import { archive, dir, file, hardLink, inChunks, member, symlink } from "../testing/archive.ts";
import { TestStore } from "../testing/store.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import type { ArchiveFormat } from "./save.ts";

const LAYERS = [
  archive(dir("etc"), file("etc/a", "a"), file("etc/b", "b"), hardLink("etc/c", "etc/a")),
  gzipSync(archive(file("etc/.wh.b"), symlink("link", "etc/a"))),
  zstdCompressSync(archive(dir("opt"), file("opt/x", "x".repeat(100_000)))),
  // One layer may lie in an image twice.
  archive(dir("etc"), file("etc/a", "a"), file("etc/b", "b"), hardLink("etc/c", "etc/a")),
];

/** An image of layers of every packing, with a history that has more steps than layers. */
async function sample(test: TestStore, layers = LAYERS): Promise<Digest> {
  const base = await test.image(...layers);
  return test.store.createImage({
    base,
    layers: [],
    config: { Cmd: ["/opt/x"], Env: ["A=1"], Labels: { l: "ü" } },
    history: [{ created_by: "CMD", comment: "a step without a layer", empty_layer: true }],
    created: new Date("2026-01-01T00:00:00Z"),
  });
}

const bytesOf = async (source: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(source));
const saved = async (test: TestStore, digest: Digest, format: ArchiveFormat, tags = ["team/app:1"]) =>
  bytesOf(test.store.save([{ digest, tags }], format));

async function fileOf(bytes: Buffer): Promise<string> {
  const path = join(await temporaryDirectory("memory"), "image.tar");
  await writeFile(path, bytes);
  return path;
}

function skopeo(...args: string[]): string {
  return execFileSync("skopeo", ["--insecure-policy", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

describe("an archive that is saved", () => {
  it.each<ArchiveFormat>(["oci", "docker"])(
    "as %s comes back with its digest, its tags and its history",
    async (format) => {
      const test = await TestStore.forTest();
      const image = await sample(test);
      const bytes = await saved(test, image, format, ["team/app:1", "registry.example.com/app:latest"]);
      const other = await TestStore.forTest();
      for (const source of [bytes, gzipSync(bytes), zstdCompressSync(bytes)]) {
        const tags = ["team/app:1", "registry.example.com/app:latest"];
        expect(await other.store.load(inChunks(source, 5000))).toEqual([{ digest: image, tags }]);
      }
      expect(await other.store.image(image)).toEqual(await test.store.image(image));
      expect(await other.store.tags()).toEqual(
        new Map([
          ["registry.example.com/app:latest", image],
          ["team/app:1", image],
        ]),
      );
      expect((await other.store.rootfs(image)).lower).toHaveLength(4);
    },
  );

  it("is the same bytes for the same images, each blob once", async () => {
    const test = await TestStore.forTest();
    const image = await sample(test);
    const bytes = await saved(test, image, "docker");
    expect((await saved(test, image, "docker")).equals(bytes)).toBe(true);
    const names = execFileSync("tar", ["-t"], { input: bytes, encoding: "utf8" }).trim().split("\n");
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /^blobs\/sha256\/./.test(name))).toHaveLength(5);
  });

  it("of several images has them all", async () => {
    const test = await TestStore.forTest();
    const [one, two] = [await sample(test), await test.image(LAYERS[0]!)];
    const images = [
      { digest: one, tags: ["a:1", "a:2"] },
      { digest: two, tags: [] },
    ];
    const other = await TestStore.forTest();
    expect(await other.store.load(test.store.save(images, "docker"))).toEqual(images);
  });

  it.each<ArchiveFormat>(["oci", "docker"])(
    "as %s is read by skopeo as an OCI layout, digest and all",
    async (format) => {
      const test = await TestStore.forTest();
      const image = await sample(test);
      const path = await fileOf(await saved(test, image, format));
      const seen = JSON.parse(skopeo("inspect", `oci-archive:${path}:team/app:1`));
      expect(seen).toMatchObject({ Digest: image, Env: ["A=1"], Labels: { l: "ü" } });
      expect(seen.Layers).toEqual((await test.store.image(image)).manifest.layers.map(({ digest }) => digest));
    },
  );

  it("as docker is read by skopeo as an archive of Docker's", async () => {
    const test = await TestStore.forTest();
    const image = await sample(test);
    const path = await fileOf(await saved(test, image, "docker", ["team/app:1", "app:2"]));
    for (const name of ["team/app:1", "app:2"]) {
      const seen = JSON.parse(skopeo("inspect", `docker-archive:${path}:${name}`));
      expect(seen.Layers).toEqual((await test.store.image(image)).config.rootfs.diff_ids);
    }
    const config = JSON.parse(skopeo("inspect", "--config", `docker-archive:${path}:app:2`));
    expect(config).toMatchObject((await test.store.image(image)).config as object);
  });

  it("fails while it is written when a blob is missing or damaged", async () => {
    const test = await TestStore.forTest();
    const image = await sample(test);
    const { manifest } = await test.store.image(image);
    await writeFile(
      join(test.dir, "blobs/sha256", hexOf(manifest.layers[0]!.digest)),
      "x".repeat(manifest.layers[0]!.size),
    );
    await expect(saved(test, image, "oci")).rejects.toMatchObject({ reason: "corrupt" });
    await test.store.blobs.remove(manifest.layers[0]!.digest, null);
    await expect(saved(test, image, "oci")).rejects.toMatchObject({ reason: "missing" });
    await expect(saved(test, sha256(Buffer.from("none")), "oci")).rejects.toMatchObject({ reason: "missing" });
  });
});

describe("an archive that skopeo wrote", () => {
  it.each([
    ["an OCI layout", "oci-archive", LAYERS],
    // Docker's archives know no zstd.
    ["an archive of Docker's", "docker-archive", LAYERS.filter((_, at) => at !== 2)],
  ])("as %s is loaded, with all layers and the whole history", async (_, transport, layers) => {
    const test = await TestStore.forTest();
    const image = await sample(test, layers);
    const from = await fileOf(await saved(test, image, "oci"));
    const to = join(await temporaryDirectory("memory"), "out.tar");
    const exactly = transport === "oci-archive" ? ["--preserve-digests"] : [];
    skopeo("copy", ...exactly, `oci-archive:${from}:team/app:1`, `${transport}:${to}:other/app:3`);
    const other = await TestStore.forTest();
    const [loaded] = await other.store.load(createReadStream(to));
    // Its archives of Docker's name the host that other tools think of.
    expect(loaded!.tags).toEqual([transport === "oci-archive" ? "other/app:3" : "docker.io/other/app:3"]);
    const [was, is] = [await test.store.image(image), await other.store.image(loaded!.digest)];
    expect(is.config).toEqual(was.config);
    expect((await other.store.rootfs(loaded!.digest)).lower).toHaveLength(layers.length);
    if (transport === "oci-archive") expect(loaded!.digest).toBe(image);
  });
});

/** As Docker 20.10 writes them: a folder for each layer, links between them, manifest.json at the end. */
function legacy(
  layers: readonly Buffer[],
  change: (described: Record<string, unknown>) => object = (same) => same,
): Buffer {
  const diff_ids = layers.map((layer) => sha256(layer));
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["/x"] },
      rootfs: { type: "layers", diff_ids },
      history: [],
    }),
  );
  const name = `${hexOf(sha256(config))}.json`;
  const described = { Config: name, RepoTags: ["old/app:1"], Layers: layers.map((_, at) => `layer${at}/layer.tar`) };
  return archive(
    member("0", name, "", { content: config }),
    ...layers.flatMap((layer, at) => [
      dir(`layer${at}`),
      file(`layer${at}/VERSION`, "1.0"),
      file(`layer${at}/json`, "{}"),
      at > 0 && layer.equals(layers[0]!)
        ? symlink(`layer${at}/layer.tar`, "../layer0/layer.tar")
        : member("0", `layer${at}/layer.tar`, "", { content: layer }),
    ]),
    file("repositories", "{}"),
    file("manifest.json", JSON.stringify([change(described)])),
  );
}

describe("an archive of an older Docker's", () => {
  const PLAIN = [LAYERS[0]!, archive(file("top", "x")), LAYERS[0]!];

  it("is loaded, through links between its layers, whatever its order", async () => {
    const test = await TestStore.forTest();
    const [loaded] = await test.store.load(inChunks(gzipSync(legacy(PLAIN))));
    expect(loaded!.tags).toEqual(["old/app:1"]);
    const { manifest, config } = await test.store.image(loaded!.digest);
    expect(manifest.layers.map(({ digest }) => digest)).toEqual(config.rootfs.diff_ids);
    expect((await test.store.rootfs(loaded!.digest)).lower).toHaveLength(3);
    expect((await Array.fromAsync(test.store.blobs.list())).length).toBe(4);
  });

  it("need not have tags", async () => {
    const test = await TestStore.forTest();
    for (const RepoTags of [null, undefined, []]) {
      expect(await test.store.load(inChunks(legacy(PLAIN, (described) => ({ ...described, RepoTags }))))).toMatchObject(
        [{ tags: [] }],
      );
    }
  });

  it.each<[string, (described: Record<string, unknown>) => object, string, string]>([
    ["a layer that is not in it", (it) => ({ ...it, Layers: ["none/layer.tar"] }), "corrupt", "none/layer.tar"],
    ["a layer outside of it", (it) => ({ ...it, Layers: ["../../../../etc/passwd"] }), "corrupt", "etc/passwd"],
    ["a config that is a layer", (it) => ({ ...it, Config: "layer0/layer.tar" }), "corrupt", "no JSON object"],
    [
      "layers in another order",
      (it) => ({ ...it, Layers: (it.Layers as string[]).toReversed().slice(1).concat("layer0/layer.tar") }),
      "corrupt",
      "diff_id",
    ],
    [
      "fewer layers than the config",
      (it) => ({ ...it, Layers: ["layer0/layer.tar"] }),
      "corrupt",
      "3 diff_ids for 1 layers",
    ],
    ["no config", ({ Config: _, ...it }) => it, "corrupt", "no Config"],
    ["layers that are no names", (it) => ({ ...it, Layers: [1] }), "corrupt", "no Layers"],
    ["tags that are none", (it) => ({ ...it, RepoTags: ["../x"] }), "refused", "../x"],
  ])("with %s is refused, and no tag is set", async (_, change, reason, message) => {
    const test = await TestStore.forTest();
    const loading = test.store.load(inChunks(legacy(PLAIN, change)));
    await expect(loading).rejects.toMatchObject({ reason, message: expect.stringContaining(message) });
    expect((await test.store.tags()).size).toBe(0);
    expect(await test.leftovers()).toEqual([]);
  });
});

describe("an archive that is not what it should be", () => {
  it.each<[string, (good: Buffer, hex: string) => Buffer, string, string]>([
    ["is cut", (good) => good.subarray(0, good.byteLength - 5000), "corrupt", ""],
    ["has a changed blob", (good, hex) => changed(good, hex), "refused", "was announced as"],
    ["is no archive", () => Buffer.alloc(2000, "x"), "corrupt", "tar"],
    ["is empty", () => Buffer.alloc(0), "unsupported", "holds no images"],
    ["is of something else", () => archive(file("a")), "unsupported", "holds no images"],
    ["is packed with xz", () => Buffer.from("fd377a585a00000000000000", "hex"), "unsupported", "xz"],
    ["is packed with bzip2", () => Buffer.from("BZh91AY&SY"), "unsupported", "bzip2"],
    ["has an index that is none", () => archive(file("index.json", "[]")), "corrupt", "no JSON object"],
    [
      "has an index of nothing that is here",
      () =>
        archive(
          file(
            "index.json",
            JSON.stringify({ manifests: [{ mediaType: "x", digest: sha256(Buffer.from("none")), size: 1 }] }),
          ),
        ),
      "missing",
      "",
    ],
    [
      "has an index of 5 MiB",
      () => archive(member("0", "index.json", "", { content: Buffer.alloc(5 << 20, " ") })),
      "refused",
      "too large",
    ],
    [
      "has a file of holes",
      () => archive(member("0", "blobs/x", "", { pax: { "GNU.sparse.size": "100", "GNU.sparse.map": "0,0" } })),
      "unsupported",
      "holes",
    ],
  ])("because it %s is refused", async (_, make, reason, message) => {
    const test = await TestStore.forTest();
    const image = await sample(test);
    const { manifest } = await test.store.image(image);
    const bytes = make(await saved(test, image, "oci"), hexOf(manifest.layers[2]!.digest));
    const other = await TestStore.forTest();
    await expect(other.store.load(inChunks(bytes))).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message),
    });
    expect((await other.store.tags()).size).toBe(0);
    expect(await other.leftovers()).toEqual([]);
  });

  /** One byte of the content of a member is another. */
  function changed(good: Buffer, hex: string): Buffer {
    const bytes = Buffer.from(good);
    bytes[bytes.indexOf(`blobs/sha256/${hex}`) + 512]! ^= 1;
    return bytes;
  }
});
