import { formatBytes } from "@mayfly/contract";
import { type HostFacts, readHostFacts } from "./host-facts.ts";

export interface HostCheck {
  readonly name: string;
  readonly ok: boolean;
  /** `required`: Mayfly cannot run when it is not ok. `advice`: it runs, with less safety or with a fallback. */
  readonly level: "required" | "advice";
  readonly found: string;
  /** What to do; null when it is ok. */
  readonly remedy: string | null;
}

/**
 * Looks at this machine: can it run boxes, and is it set up as it should be? Makes and removes a cgroup, otherwise only reads.
 * @param home the folder of all state; need not exist
 */
export async function runHostChecks(home: string): Promise<HostCheck[]> {
  return judgeHost(await readHostFacts(home));
}

type Rule = (facts: HostFacts) => {
  name: string;
  level: HostCheck["level"];
  ok: boolean;
  found: string;
  remedy: string;
};

const GiB = 1024 ** 3;
const MIN_FREE_BYTES = GiB / 2;
const MIN_MEMORY_BYTES = GiB / 2;
const NODE_MAJOR = 24;
const REDIS_MIN = [6, 2] as const;
/** Doors in the kernel through which page cache was written in 2026 (CVE-2026-31431, -43284, -43500); boxes cannot open them, the host's users can. */
const RISKY_MODULES = ["af_alg", "algif_aead", "rxrpc", "esp4", "esp6"] as const;

const RULES: readonly Rule[] = [
  ({ uid }) => ({
    name: "root",
    level: "required",
    ok: uid === 0,
    found: `uid ${uid}`,
    remedy: "run as root: the worker makes namespaces, mounts and cgroups (gateway and Redis give root up)",
  }),
  ({ arch }) => ({
    name: "processor",
    level: "required",
    ok: arch === "x64",
    found: arch,
    remedy: "use an x86-64 machine: the launcher's filter of system calls is for it alone",
  }),
  ({ kernel }) => ({
    name: "kernel",
    level: "required",
    ok: atLeast(kernel, [5, 14]),
    found: `Linux ${kernel}`,
    remedy: "use Linux 5.14 or later (Debian 12 has 6.1): cgroup.kill and close_range are needed",
  }),
  ({ kernel }) => ({
    name: "idmapped layers",
    level: "advice",
    ok: atLeast(kernel, [5, 19]),
    found: atLeast(kernel, [5, 19])
      ? "the kernel has them under overlayfs"
      : `Linux ${kernel} has none under overlayfs`,
    remedy: "use Linux 5.19 or later: before it, boxes use the fallback, whose starts are slower",
  }),
  ({ node }) => ({
    name: "node",
    level: "required",
    ok: atLeast(node, [NODE_MAJOR, 0]),
    found: `Node ${node}`,
    remedy: `start with npm start, which brings Node ${NODE_MAJOR} itself (npm ci installs it)`,
  }),
  ({ cgroup }) =>
    "error" in cgroup
      ? { name: "cgroups", level: "required", ok: false, found: cgroup.error, remedy: "see the message" }
      : {
          name: "cgroups",
          level: "required",
          ok: true,
          found: `${cgroup.version}, not counted: ${cgroup.missing.join(", ") || "nothing"}`,
          remedy: "",
        },
  ({ filesystems, modules }) => ({
    name: "overlayfs",
    level: "required",
    ok: /^nodev\s+overlay$/m.test(filesystems) || hasModule(modules, "overlay"),
    found: /^nodev\s+overlay$/m.test(filesystems)
      ? "there"
      : hasModule(modules, "overlay")
        ? "a module, loaded when it is used"
        : "not there",
    remedy: "modprobe overlay, or use a kernel with CONFIG_OVERLAY_FS",
  }),
  ({ maxUserNamespaces: most, userNamespaceLocks: locks }) => ({
    name: "user namespaces",
    level: "required",
    ok: most !== null && most > 0,
    found: `${most === null ? "not there" : `${most} allowed`}${locks.length > 0 ? ` (${locks.join(", ")} keeps users out; root may)` : ""}`,
    remedy: "sysctl -w user.max_user_namespaces=65536, or use a kernel with CONFIG_USER_NS",
  }),
  ({ seccompActions: actions }) => ({
    name: "seccomp",
    level: "required",
    ok: actions?.includes("errno") === true && actions.includes("kill_process"),
    found: actions?.join(" ") ?? "not there",
    remedy: "use a kernel with CONFIG_SECCOMP_FILTER",
  }),
  ({ redis }) => ({
    name: "redis",
    level: "required",
    ok: redis !== null && atLeast(redisVersion(redis), REDIS_MIN),
    found: redis === null ? "neither redis-server nor valkey-server" : redisVersion(redis),
    remedy: `apt-get install redis-server (${REDIS_MIN.join(".")} or later), or name yours in MAYFLY_REDIS_URL`,
  }),
  ({ home, homeFreeBytes: free }) => ({
    name: "disk",
    level: "required",
    ok: free !== null && free >= MIN_FREE_BYTES,
    found: free === null ? `${home}: no answer` : `${formatBytes(free)} free for ${home}`,
    remedy: `make room (${formatBytes(MIN_FREE_BYTES)} at least), or set MAYFLY_HOME to a folder on another disk`,
  }),
  ({ memoryAvailableBytes: bytes }) => ({
    name: "memory",
    level: "required",
    ok: bytes >= MIN_MEMORY_BYTES,
    found: `${formatBytes(bytes)} available`,
    remedy: `free some: ${formatBytes(MIN_MEMORY_BYTES)} at least`,
  }),
  ({ network: { missing, ipv6 } }) => ({
    name: "network of boxes",
    level: "advice",
    ok: missing === null,
    found: missing?.found ?? `IPv4${ipv6 ? " and IPv6" : "; IPv6 not, since the host does not forward it"}`,
    remedy: `functions cannot have network=egress: ${missing?.remedy ?? "see the message"}`,
  }),
  ({ network: { strict } }) => ({
    name: "rules of others",
    level: "advice",
    ok: strict.length === 0,
    found:
      strict.length === 0 ? "none keeps boxes in" : `${strict.map((chain) => chain.found).join(", ")} drop the rest`,
    remedy: `functions with network=egress reach nobody unless these rules know them: ${strict.map((chain) => chain.remedy).join("; ")}`,
  }),
  ({ swapBytes, cgroup }) => ({
    name: "swap",
    level: "advice",
    ok: swapBytes === 0 || ("limitsSwap" in cgroup && cgroup.limitsSwap),
    found:
      swapBytes === 0
        ? "none"
        : `${formatBytes(swapBytes)}${"limitsSwap" in cgroup && cgroup.limitsSwap ? ", boxes get none of it" : ""}`,
    remedy: "swapoff -a, or boot with swapaccount=1: boxes can swap here, which their memory limit should forbid",
  }),
  ({ corePattern }) => ({
    name: "core dumps",
    level: "advice",
    ok: corePattern === null || !corePattern.startsWith("|"),
    found: corePattern === null ? "the kernel makes none" : `core_pattern is ${corePattern}`,
    remedy:
      "sysctl -w kernel.core_pattern=core: a crash in a box starts this program as root on the host, outside of the box's limits",
  }),
  ({ modules, modulesDisabled }) => {
    const loadable = modulesDisabled ? [] : RISKY_MODULES.filter((name) => hasModule(modules, name));
    return {
      name: "kernel modules",
      level: "advice",
      ok: loadable.length === 0,
      found: loadable.length === 0 ? "none of the risky ones can be loaded" : `can be loaded: ${loadable.join(", ")}`,
      remedy: `in /etc/modprobe.d/mayfly.conf: ${loadable.map((name) => `install ${name} /bin/false`).join("; ")} (boxes are kept from them by seccomp already)`,
    };
  },
];

/** The judgement without the looking. */
export function judgeHost(facts: HostFacts): HostCheck[] {
  return RULES.map((rule) => {
    const { remedy, ...check } = rule(facts);
    return { ...check, remedy: check.ok ? null : remedy };
  });
}

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, a, b] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return a !== undefined && (Number(a) > major || (Number(a) === major && Number(b) >= minor));
}

/** `Redis server v=7.0.15 sha=…` */
const redisVersion = (text: string): string => /v=(\S+)/.exec(text)?.[1] ?? text;

const hasModule = (modulesDep: string | null, name: string): boolean =>
  modulesDep !== null && new RegExp(`(^|/)${name}\\.ko(\\.\\w+)?:`, "m").test(modulesDep);
