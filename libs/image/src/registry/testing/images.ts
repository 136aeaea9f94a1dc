import { randomBytes } from "node:crypto";
import type { Digest } from "@mayfly/contract";
import type { Compression } from "../../compression/decompress.ts";
import type { ImageStore } from "../../image-store.ts";
import type { LayerEntry } from "../../layer/entry.ts";
import type { Layer } from "../../oci.ts";
import { TestStore } from "../../testing/store.ts";

/** For tests: an empty store that goes when the test ends. */
export const emptyStore = async (): Promise<ImageStore> => (await TestStore.forTest()).store;

/** An image with so many layers of so many random bytes each, which no compression makes smaller. */
export async function makeImage(
  store: ImageStore,
  layers: number,
  bytes: number,
  compression: Compression = "gzip",
): Promise<Digest> {
  const made: Layer[] = [];
  for (let at = 0; at < layers; at += 1) {
    const attributes = { mode: 0o644, uid: 0, gid: 0, mtime_s: 1_700_000_000 };
    const content = randomBytes(bytes);
    const entry: LayerEntry = { type: "file", path: `file-${at}`, ...attributes, size_bytes: bytes, content };
    made.push(await store.addLayer([entry], { compression }));
  }
  return store.createImage({
    base: null,
    layers: made,
    config: { Cmd: ["/file-0"] },
    history: made.map((_, at) => `layer ${at}`),
    created: new Date("2026-01-01T00:00:00Z"),
  });
}

/** Every blob of an image with its size, each read and so verified: equal here and there means equal byte for byte. */
export async function blobsOf(store: ImageStore, digest: Digest): Promise<ReadonlyMap<Digest, number>> {
  const { manifest } = await store.image(digest);
  const digests = [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)];
  const size = async (one: Digest) => (await store.blobs.read(one, 1 << 30)).byteLength;
  return new Map(await Promise.all(digests.map(async (one) => [one, await size(one)] as const)));
}
