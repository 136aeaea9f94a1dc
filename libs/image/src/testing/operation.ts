import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import type { ImageStore } from "../image-store.ts";
import { registryClient } from "../registry/client.ts";
import { openImageStore } from "../store.ts";

export type Operation = "load" | "pull" | "unpack" | "commit" | "gc";

/** For tests that kill it: one thing done with the store in `<dir>/store`, which crash.test.ts has prepared. */
export async function operate(store: ImageStore, dir: string, operation: Operation): Promise<void> {
  const base = (await store.resolve("base")) as Digest;
  if (operation === "load") await store.load(createReadStream(join(dir, "image.tar")));
  else if (operation === "pull") await registryClient({ store }).pull(readFileSync(join(dir, "remote"), "utf8"));
  else if (operation === "unpack") {
    await store.rootfs(base);
    await store.synced();
  } else if (operation === "commit") {
    const writable = { upper: join(dir, "upper"), id_base: 0 };
    await store.tag("committed", await store.commit({ image: base, writable, created: new Date(0) }));
  } else {
    await store.untag("garbage");
    await store.gc({ keep: [], before: new Date(Date.now() + 60_000) });
  }
}

/** `node operation.ts <dir> <layer-tree> <operation>` */
if (process.argv[1] === import.meta.filename) {
  const [dir, layerTree, operation] = process.argv.slice(2) as [string, string, Operation];
  await operate(await openImageStore(join(dir, "store"), { layerTree }), dir, operation);
}
