import { openImageStore, registryClient } from "@mayfly/image";

/** What a bench asks of it, over IPC. */
export interface StoreTask {
  readonly layerTree: string;
  /** The store's folder; opening it is in the time. */
  readonly store: string;
  readonly verb: "unpack" | "pull" | "pull-and-unpack" | "push" | "pack";
  /** An image: a reference. */
  readonly what: string;
  /** `push`: the reference there. `pack`: a folder that a box wrote. */
  readonly where?: string;
}

export interface StoreDone {
  readonly ms: number;
  /** The most memory that the process ever had. */
  readonly peak_mib: number;
}

/** Does things with stores for as long as its parent wants, as a worker does. What fails ends it. */
process.on("message", async (task: StoreTask) => {
  const began = performance.now();
  await perform(task);
  const done: StoreDone = { ms: performance.now() - began, peak_mib: process.resourceUsage().maxRSS / 1024 };
  process.send!(done);
});

async function perform({ layerTree, store: dir, verb, what, where = "" }: StoreTask): Promise<void> {
  const store = await openImageStore(dir, { layerTree });
  const client = registryClient({ store });
  const digest = async () => {
    const found = await store.resolve(what);
    if (found === null) throw new Error(`${dir} has no ${what}`);
    return found;
  };
  if (verb === "unpack") await store.rootfs(await digest());
  else if (verb === "pull") await client.pull(what);
  else if (verb === "pull-and-unpack") await store.rootfs((await client.pull(what)).image);
  else if (verb === "push") await client.push(what, where);
  else await store.diff(await digest(), { upper: where, id_base: 0 }, { compression: "gzip" });
}
