import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { BlobDirectory } from "../blob/directory.ts";
import { hexOf } from "../digest.ts";
import { LAYER_LIMITS } from "../layer/limits.ts";
import { Scratch } from "../scratch.ts";
import { builtLayerTree } from "../testing/native.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import { LayerTree } from "../tree/layer-tree.ts";
import { snapshotterConformance } from "./conformance.ts";
import { Snapshots } from "./snapshots.ts";

snapshotterConformance("a directory", async () => {
  const dir = await temporaryDirectory("memory");
  const tree = new LayerTree(builtLayerTree());
  const scratch = await Scratch.open(join(dir, "tmp"), tree);
  const blobs = await BlobDirectory.open(join(dir, "blobs"), scratch);
  const reopen = () => Snapshots.open(join(dir, "snapshots"), { scratch, blobs, tree, limits: LAYER_LIMITS });
  const snapshots = await reopen();
  const metaOf = (chainId: Digest) => join(dir, "snapshots", hexOf(chainId), "meta.json");
  const dayAgo = new Date(Date.now() - 86_400_000);
  return {
    snapshots,
    blobs,
    reopen,
    age: async (chainId) => {
      await snapshots.synced();
      await utimes(metaOf(chainId), dayAgo, dayAgo);
    },
    forgetDisk: async (chainId) => {
      const meta = JSON.parse(await readFile(metaOf(chainId), "utf8"));
      await writeFile(metaOf(chainId), JSON.stringify({ ...meta, durable: false, boot: "another" }));
    },
    leftovers: async () => {
      await snapshots.synced();
      return readdir(join(dir, "tmp"));
    },
  };
});
