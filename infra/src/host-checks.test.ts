import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { judgeHost, runHostChecks } from "./host-checks.ts";
import type { HostFacts } from "./host-facts.ts";

const good: HostFacts = {
  kernel: "6.1.0-18-amd64",
  arch: "x64",
  uid: 0,
  node: "24.21.0",
  cgroup: { version: "v2", missing: ["memory_anon_peak_bytes"], limitsSwap: true },
  filesystems: "nodev\tsysfs\nnodev\toverlay\n\text4\n",
  modules: "kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko\n",
  modulesDisabled: false,
  maxUserNamespaces: 96_000,
  userNamespaceLocks: [],
  swapBytes: 0,
  memoryAvailableBytes: 4 * 1024 ** 3,
  corePattern: "core",
  seccompActions: ["kill_process", "errno", "allow"],
  home: "/var/lib/mayfly",
  homeFreeBytes: 10 * 1024 ** 3,
  redis: "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64",
  network: { missing: null, strict: [], ipv6: false },
};

describe("judgeHost", () => {
  it("finds nothing wrong with a good machine and has no remedy for it", () => {
    expect(judgeHost(good).filter((check) => !check.ok || check.remedy !== null)).toEqual([]);
  });

  it.each<[string, string, Partial<HostFacts>, RegExp]>([
    ["root", "required", { uid: 1000 }, /run as root/],
    ["processor", "required", { arch: "ia32" }, /x86-64/],
    ["processor", "required", { arch: "arm64" }, /x86-64/],
    ["idmapped layers", "advice", { kernel: "5.15.0-1-amd64" }, /fallback/],
    ["node", "required", { node: "20.20.2" }, /npm start/],
    ["cgroups", "required", { cgroup: { error: "use memory of …; enable it: echo …" } }, /message/],
    ["overlayfs", "required", { filesystems: "nodev\toverlayx\n" }, /modprobe overlay/],
    ["user namespaces", "required", { maxUserNamespaces: 0 }, /max_user_namespaces/],
    ["user namespaces", "required", { maxUserNamespaces: null }, /CONFIG_USER_NS/],
    ["seccomp", "required", { seccompActions: ["kill_thread", "errno"] }, /CONFIG_SECCOMP_FILTER/],
    ["redis", "required", { redis: null }, /apt-get install redis-server/],
    ["redis", "required", { redis: "Redis server v=6.0.16 sha=0" }, /6\.2/],
    ["disk", "required", { homeFreeBytes: 5_000_000 }, /MAYFLY_HOME/],
    ["memory", "required", { memoryAvailableBytes: 1000 }, /free some/],
    [
      "network of boxes",
      "advice",
      { network: { missing: { found: "no nft", remedy: "apt-get install nftables" }, strict: [], ipv6: false } },
      /egress: apt-get install nftables/,
    ],
    [
      "rules of others",
      "advice",
      { network: { missing: null, strict: [{ found: "ip filter FORWARD", remedy: "iptables -I X" }], ipv6: true } },
      /iptables -I X/,
    ],
    ["swap", "advice", { swapBytes: 1, cgroup: { version: "v1", missing: [], limitsSwap: false } }, /swapoff/],
    ["core dumps", "advice", { corePattern: "|/usr/share/apport %p" }, /core_pattern=core/],
    [
      "kernel modules",
      "advice",
      { modules: "kernel/net/rxrpc/rxrpc.ko.xz: kernel/a.ko\n" },
      /install rxrpc \/bin\/false/,
    ],
  ])("%s (%s): refuses %o with a remedy", (name, level, bad, remedy) => {
    const wrong = judgeHost({ ...good, ...bad }).filter((check) => !check.ok);
    expect(wrong.map((check) => [check.name, check.level])).toEqual([[name, level]]);
    expect(wrong[0]?.remedy).toMatch(remedy);
  });

  it.each<[string, Partial<HostFacts>]>([
    ["overlayfs as a module", { filesystems: "", modules: "kernel/fs/overlayfs/overlay.ko.zst:\n" }],
    ["swap that boxes get nothing of", { swapBytes: 1024 ** 3 }],
    ["risky modules that nobody can load any more", { modules: "kernel/net/rxrpc/rxrpc.ko:\n", modulesDisabled: true }],
    ["user namespaces that only root may make", { userNamespaceLocks: ["kernel.unprivileged_userns_clone"] }],
    ["valkey", { redis: "Valkey server v=8.1.0 sha=00000000:0" }],
  ])("accepts %s", (_, facts) => {
    expect(judgeHost({ ...good, ...facts }).filter((check) => !check.ok)).toEqual([]);
  });
});

it("refuses a kernel without cgroup.kill, and says too that it has no idmapped layers", () => {
  const wrong = judgeHost({ ...good, kernel: "5.13.9" }).filter((check) => !check.ok);
  expect(wrong.map((check) => [check.name, check.level])).toEqual([
    ["kernel", "required"],
    ["idmapped layers", "advice"],
  ]);
});

describe("runHostChecks", () => {
  it("finds that this machine, which runs these tests, can run boxes", async () => {
    const checks = await runHostChecks(`${tmpdir()}/not/made/yet`);
    expect(checks.filter((check) => check.level === "required" && !check.ok)).toEqual([]);
    expect(checks.find((check) => check.name === "cgroups")?.found).toMatch(
      /^v[12], not counted: .*memory_anon_peak_bytes/,
    );
  });
});
