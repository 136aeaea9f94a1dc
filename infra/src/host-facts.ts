import { execFile } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { arch, release } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { checkBoxNetwork, type NetworkCheck, openCgroupTree } from "@mayfly/container";

/** What this machine is like, read and not yet judged. null: it does not say. */
export interface HostFacts {
  readonly kernel: string;
  readonly arch: string;
  readonly uid: number;
  readonly node: string;
  readonly cgroup:
    | { readonly version: "v1" | "v2"; readonly missing: readonly string[]; readonly limitsSwap: boolean }
    | { readonly error: string };
  /** Text of /proc/filesystems. */
  readonly filesystems: string;
  /** Text of modules.dep of the running kernel; null: it has no loadable modules. */
  readonly modules: string | null;
  readonly modulesDisabled: boolean;
  readonly maxUserNamespaces: number | null;
  /** Names of sysctls that keep unprivileged users from user namespaces. Root may all the same. */
  readonly userNamespaceLocks: readonly string[];
  readonly swapBytes: number;
  readonly memoryAvailableBytes: number;
  readonly corePattern: string | null;
  /** Actions of seccomp(2) that the kernel knows; null: no seccomp. */
  readonly seccompActions: readonly string[] | null;
  readonly home: string;
  readonly homeFreeBytes: number | null;
  /** What `redis-server --version` or `valkey-server --version` said. */
  readonly redis: string | null;
  readonly network: NetworkCheck;
}

export async function readHostFacts(home: string): Promise<HostFacts> {
  const meminfo = read("/proc/meminfo") ?? "";
  const locks = {
    "kernel.unprivileged_userns_clone": "0",
    "kernel.apparmor_restrict_unprivileged_userns": "1",
  };
  return {
    kernel: release(),
    arch: arch(),
    uid: process.getuid?.() ?? -1,
    node: process.versions.node,
    cgroup: await cgroupFacts(),
    filesystems: read("/proc/filesystems") ?? "",
    modules: read(`/lib/modules/${release()}/modules.dep`),
    modulesDisabled: sysctl("kernel.modules_disabled") === "1",
    maxUserNamespaces: count(sysctl("user.max_user_namespaces")),
    userNamespaceLocks: Object.entries(locks).flatMap(([name, value]) => (sysctl(name) === value ? [name] : [])),
    swapBytes: kibibytes(meminfo, "SwapTotal"),
    memoryAvailableBytes: kibibytes(meminfo, "MemAvailable"),
    corePattern: sysctl("kernel.core_pattern"),
    seccompActions: sysctl("kernel.seccomp.actions_avail")?.split(" ") ?? null,
    home,
    homeFreeBytes: freeBytes(home),
    redis: (await versionOf("redis-server")) ?? (await versionOf("valkey-server")),
    network: await checkBoxNetwork(),
  };
}

/** Not by looking but by doing: the same groups that a worker makes, and away again. */
async function cgroupFacts(): Promise<HostFacts["cgroup"]> {
  try {
    const tree = await openCgroupTree({ instance: `doctor-${process.pid}` });
    const boot = tree.boot.map(dirname);
    const has = (file: string): boolean => boot.some((dir) => read(`${dir}/${file}`) !== null);
    const limitsSwap = has("memory.swap.max") || has("memory.memsw.limit_in_bytes");
    await tree.close();
    return { version: tree.version, missing: tree.missing, limitsSwap };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // absence is the answer
  }
}

const sysctl = (name: string): string | null => read(`/proc/sys/${name.replaceAll(".", "/")}`)?.trim() ?? null;
const count = (text: string | null): number | null => (text !== null && /^\d+$/.test(text) ? Number(text) : null);
const kibibytes = (meminfo: string, name: string): number =>
  1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(meminfo)?.[1] ?? 0);

/** Of the disk on which `path` is or will be made. */
function freeBytes(path: string): number | null {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return bavail * bsize;
    } catch {
      if (at === dirname(at)) return null;
    }
  }
}

async function versionOf(command: string): Promise<string | null> {
  try {
    return (await promisify(execFile)(command, ["--version"], { timeout: 5000 })).stdout.trim();
  } catch {
    return null; // not installed, or not able to say
  }
}
