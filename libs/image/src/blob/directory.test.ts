import { appendFile, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { expect, it } from "vitest";
import { hexOf } from "../digest.ts";
import { Scratch } from "../scratch.ts";
import { builtLayerTree } from "../testing/native.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import { LayerTree } from "../tree/layer-tree.ts";
import { blobStoreConformance } from "./conformance.ts";
import { BlobDirectory } from "./directory.ts";

blobStoreConformance("a directory", async () => {
  const dir = await temporaryDirectory();
  const scratch = await Scratch.open(join(dir, "tmp"), new LayerTree(builtLayerTree()));
  const path = (digest: Digest) => join(dir, "blobs", "sha256", hexOf(digest));
  const dayAgo = new Date(Date.now() - 86_400_000);
  return {
    store: await BlobDirectory.open(join(dir, "blobs"), scratch),
    damage: (digest) => appendFile(path(digest), "!"),
    age: (digest) => utimes(path(digest), dayAgo, dayAgo),
    file: async (bytes) => {
      await writeFile(join(dir, "file"), bytes);
      return join(dir, "file");
    },
    leftovers: () => readdir(join(dir, "tmp")),
  };
});

it("bytes that are here whole are used, and not written again; damaged ones are", async () => {
  const dir = await temporaryDirectory();
  const store = await BlobDirectory.open(join(dir, "blobs"), await Scratch.open(join(dir, "tmp"), null));
  const { digest } = await store.put(Buffer.from("document"));
  const path = join(dir, "blobs", "sha256", hexOf(digest));
  const [dayAgo, { ino }] = [new Date(Date.now() - 86_400_000), await stat(path)];
  await utimes(path, dayAgo, dayAgo);
  await store.put(Buffer.from("document"));
  const used = await stat(path);
  expect(used.ino).toBe(ino);
  expect(used.mtime.getTime()).toBeGreaterThan(dayAgo.getTime());
  await appendFile(path, "!");
  await store.put(Buffer.from("document"));
  expect(String(await store.read(digest, 100))).toBe("document");
});
