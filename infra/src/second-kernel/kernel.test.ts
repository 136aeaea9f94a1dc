import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { runInSecondKernel } from "./kernel.ts";

// Temporary files of the runs lie in here, so that what is left of them can be told from what others do.
const dir = mkdtempSync(join(tmpdir(), "mayfly-kernel-test-"));
vi.stubEnv("TMPDIR", dir);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

/** What it must have, each in a line, so that a failure names it. The end-to-end test relies on all of them. */
const NEEDS = `
grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts && echo cgroup2
! grep -q ' cgroup ' /proc/mounts && echo only cgroup2
for c in cpu memory pids io; do grep -qw $c /sys/fs/cgroup/cgroup.subtree_control && echo $c; done
mkdir -p /mnt/upper /mnt/work /mnt/merged
mount -t overlay overlay -o lowerdir=/usr/share,upperdir=/mnt/upper,workdir=/mnt/work,redirect_dir=nofollow,metacopy=off,index=off /mnt/merged &&
  touch /mnt/merged/x && test -e /mnt/upper/x && echo overlay on hostfs
unshare --user --map-root-user --mount --pid --fork --net --ipc --uts --cgroup true && echo namespaces
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:0"); exit !IO::Socket::INET->new("127.0.0.1:" . $s->sockport)' && echo loopback
perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Listen => 1, Local => "$ENV{TMPDIR}/s"); exit !IO::Socket::UNIX->new(Peer => "$ENV{TMPDIR}/s")' && echo unix socket
`;

/** Every process of user-mode-linux has its command line. */
const processes = (): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`mayfly_dir=${dir}`);
      } catch {
        return false; // ended meanwhile
      }
    });

describe("runInSecondKernel", { timeout: 120_000 }, () => {
  it("gives a command all that boxes need, with cgroup v2 only, and brings back its output and status", async () => {
    const run = await runInSecondKernel({
      command: ["sh", "-c", `${NEEDS}\necho "$WORD in $(pwd)"; exit 7`],
      env: { WORD: "it's" },
      cwd: dir,
      timeoutMs: 60_000,
    });
    expect(run.output.trim().split("\n")).toEqual([
      ...["cgroup2", "only cgroup2", "cpu", "memory", "pids", "io", "overlay on hostfs", "namespaces"],
      ...["loopback", "unix socket", `it's in ${dir}`],
    ]);
    expect(run.status).toBe(7);
  });

  it("stops a command that is late, shows what it wrote, and leaves no process and no file", async () => {
    const run = runInSecondKernel({
      command: ["sh", "-c", "echo so far; sleep 100"],
      cwd: dir,
      timeoutMs: 2000,
      memory: "512M",
    });
    await expect(run).rejects.toThrow(/was not done in 2000 ms[\s\S]*so far/);
    expect(processes()).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it("says why it did not boot, with the end of its console", async () => {
    const run = runInSecondKernel({ command: ["true"], cwd: dir, timeoutMs: 1000, memory: "nonsense" });
    await expect(run).rejects.toThrow(/boot the second kernel \(linux\.uml\)[\s\S]*console ended/);
  });

  it("ends at once when it is told to", async () => {
    const stop = new AbortController();
    const run = runInSecondKernel({
      command: ["sh", "-c", `touch ${dir}/started; sleep 100`],
      cwd: dir,
      timeoutMs: 60_000,
      signal: stop.signal,
    });
    const look = setInterval(() => existsSync(join(dir, "started")) && stop.abort(new Error("enough")), 20);
    try {
      await expect(run).rejects.toThrow("enough");
    } finally {
      clearInterval(look);
    }
  });
});
