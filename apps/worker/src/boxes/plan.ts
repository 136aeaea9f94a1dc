import { accountOf } from "@mayfly/build";
import type { BoxSpec } from "@mayfly/container";
import { type BoxWanted, type Digest, Fault, FIXED_LIMITS, type RootFs } from "@mayfly/contract";
import { readFileOf } from "@mayfly/image";
import type { WorkerDeps } from "../deps.ts";
import { configOf } from "./config.ts";
import type { StoredBox } from "./record.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LARGEST_ACCOUNT_FILE_BYTES = 1024 * 1024;

/** How a box's program is run. */
export type Plan = Pick<StoredBox, "args" | "env" | "cwd" | "account" | "stop_signal">;

/** What was asked for, over what the image says. @throws Fault bad_setting */
export async function planOf(
  wanted: BoxWanted,
  image: Digest,
  rootfs: RootFs,
  { store }: Pick<WorkerDeps, "store">,
): Promise<Plan> {
  const config = configOf(wanted, (await store.image(image)).config.config);
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (!args[0]) throw badSetting(`the image ${wanted.image} names no program; say which one to run`);
  const { home, uid, gid, groups } = await accountIn(rootfs, config.User ?? "");
  return {
    args,
    env: environment(wanted, config.Env ?? [], home),
    cwd: config.WorkingDir || "/",
    account: { uid, gid, groups: [...groups] },
    stop_signal: config.StopSignal ?? "SIGTERM",
  };
}

async function accountIn(rootfs: RootFs, user: string): Promise<ReturnType<typeof accountOf>> {
  const read = (path: string) => readFileOf(rootfs, path, LARGEST_ACCOUNT_FILE_BYTES);
  const files = { passwd: await read("etc/passwd"), group: await read("etc/group") };
  try {
    return accountOf(user, files);
  } catch (error) {
    throw badSetting(`user ${user}: ${(error as Error).message}`);
  }
}

function environment({ terminal }: BoxWanted, configured: readonly string[], home: string): string[] {
  const pairs = configured.map((pair) => [pair.split("=", 1)[0]!, pair.slice(pair.indexOf("=") + 1)] as const);
  const all = { PATH, HOME: home, ...(terminal && { TERM: "xterm" }), ...Object.fromEntries(pairs) };
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
}

/** The box as libs/container makes it; `disk` keeps what it writes. */
export function specOf(box: StoredBox, rootfs: RootFs, disk: string, mounts: BoxSpec["mounts"]): BoxSpec {
  const { wanted, account } = box;
  const { memory_bytes, cpu_millis, pids, tmp_bytes } = wanted;
  return {
    id: box.id,
    rootfs,
    mounts,
    serve: null,
    writable: disk,
    idBase: box.id_base,
    args: box.args,
    env: box.env,
    cwd: box.cwd,
    user: account,
    hostname: hostnameOf(box),
    limits: { memory_bytes, cpu_millis, cpu_weight: 100, pids, tmp_bytes, open_files: FIXED_LIMITS.open_files },
    // As functions of images have it.
    profile: account.uid === 0 ? "build" : "function",
    nursery: null,
    meter: "from_exec",
    network: wanted.network,
    channel: false,
    stdin: wanted.stdin && !wanted.terminal,
    terminal: wanted.terminal,
  };
}

export const hostnameOf = ({ id, wanted }: Pick<StoredBox, "id" | "wanted">): string =>
  wanted.hostname ?? id.slice("box_".length, "box_".length + 12);

export const badSetting = (detail: string): Fault => new Fault("bad_setting", { detail });
