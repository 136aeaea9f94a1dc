import { readFileSync, writeFileSync } from "node:fs";
import { type CourierPrograms, openImageStore, registryClient } from "@mayfly/image";

/** What a bench asks of it, over IPC. */
export interface StoreTask {
  readonly layerTree: string;
  readonly courier: CourierPrograms;
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
  /** The most memory that the process had meanwhile. */
  readonly peak_mib: number;
  /** Of a courier that is still there, 0 when there is none. */
  readonly courier_mib: number;
  /** Of that, what is read from files: Node's program, which this process has as well. */
  readonly courier_file_mib: number;
}

/** Does things with stores for as long as its parent wants, as a worker does. What fails ends it. */
process.on("message", async (task: StoreTask) => {
  writeFileSync("/proc/self/clear_refs", FORGET_PEAK);
  const began = performance.now();
  await perform(task);
  const ms = performance.now() - began;
  const done: StoreDone = { ms, peak_mib: mib(process.pid, "VmHWM"), ...courierPeak(task) };
  process.send!(done);
});

/** proc_pid_clear_refs(5). */
const FORGET_PEAK = "5";
const mib = (pid: number | string, row: "VmHWM" | "RssFile"): number =>
  Number(new RegExp(`^${row}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

/** A courier stays for a moment: what it needed at most is still to be read. */
function courierPeak({ courier }: StoreTask): Pick<StoreDone, "courier_mib" | "courier_file_mib"> {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ");
  for (const pid of children) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(courier.program)) continue;
      return { courier_mib: mib(pid, "VmHWM"), courier_file_mib: mib(pid, "RssFile") };
    } catch {
      // It has gone.
    }
  }
  return { courier_mib: 0, courier_file_mib: 0 };
}

async function perform({ layerTree, courier, store: dir, verb, what, where = "" }: StoreTask): Promise<void> {
  const store = await openImageStore(dir, { layerTree });
  const client = registryClient({ store, courier });
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
