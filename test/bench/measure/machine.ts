import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, version } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseHierarchies } from "../../../libs/container/src/cgroup/mountinfo.ts";
import type { Machine } from "../report/result.ts";

const MODULES = join(import.meta.dirname, "..", "..", "..", "node_modules");

/** What the figures of this machine depend on. Read it before the mounts are changed for the peers. */
export function readMachine(): Machine {
  return {
    CPU: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}${isGuest() ? ", a virtual machine" : ""}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: `Linux ${release()} ${version()}, HZ ${timerFrequency() ?? "unknown"}`,
    cgroups: cgroupMode(readFileSync("/proc/self/mountinfo", "utf8")),
    "RCU grace periods": readFlag("/sys/kernel/rcu_expedited") === "1" ? "expedited" : "not expedited",
    Node: process.version,
    peers: [
      firstLine("runc", "--version"),
      firstLine("crun", "--version"),
      firstLine("bwrap", "--version"),
      `functions-framework ${packageVersion("@google-cloud/functions-framework")}`,
      `workerd ${packageVersion("workerd")}`,
    ].join(", "),
  };
}

/** v1, v2 or both, and whether moving a process between groups is cheap (mount option favordynmods). */
export function cgroupMode(mountinfo: string): string {
  const hierarchies = parseHierarchies(mountinfo);
  const v1 = hierarchies.some(({ version, controllers }) => version === "v1" && controllers.includes("memory"));
  const v2 = hierarchies.some(({ version }) => version === "v2");
  const mode = v1 ? `v1${v2 ? ", hybrid (a v2 tree is mounted beside it)" : ""}` : "v2";
  const favours = /^.* - cgroup2? .*\bfavordynmods\b/m.test(mountinfo);
  return `${mode}, ${favours ? "with" : "without"} favordynmods`;
}

const isGuest = (): boolean => /^flags\s*:.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));

/** The kernel's tick, when it shows its configuration. */
function timerFrequency(): string | null {
  const read = [
    () => gunzipSync(readFileSync("/proc/config.gz")).toString(),
    () => readFileSync(`/boot/config-${release()}`, "utf8"),
  ];
  for (const config of read) {
    try {
      return /^CONFIG_HZ=(\d+)$/m.exec(config())?.[1] ?? null;
    } catch {
      // Not shown there.
    }
  }
  return null;
}

function readFlag(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}

const firstLine = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8" }).split("\n")[0]!.replace(" version", "");

const packageVersion = (name: string): string =>
  JSON.parse(readFileSync(join(MODULES, name, "package.json"), "utf8")).version;
