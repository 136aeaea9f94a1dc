import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitUntil } from "../../libs/container/src/cgroup/wait.ts";
import { TestBoxes } from "../../libs/container/src/testing/boxes.ts";

/**
 * The order of a box's making, as strace sees it. It is runc's (standard_init_linux.go); each place in it was somebody's CVE: ids before
 * capabilities, capabilities before no_new_privs, the filter last, and no file touched between the filter and exec.
 */
const IN_ORDER: readonly [what: string, call: RegExp][] = [
  ["mount, ipc and uts namespaces", /^unshare\(.*CLONE_NEWNS/],
  ["overlay", /^mount\("overlay"/],
  ["the box's root", /^pivot_root\(/],
  ["the host's root is gone", /^umount2\("\.", MNT_DETACH\)/],
  ["cgroup", /^write\(\d+, "0", 1\)/],
  ["cgroup namespace", /^unshare\(CLONE_NEWCGROUP\)/],
  ["user namespace", /^setns\(\d+, CLONE_NEWUSER\)/],
  ["root of the box", /^setresuid\(0, 0, 0\)/],
  ["dies with the launcher", /^prctl\(PR_SET_PDEATHSIG, SIGKILL/],
  ["not dumpable", /^prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE/],
  ["bounding set", /^prctl\(PR_CAPBSET_DROP/],
  ["working folder", /^chdir\("\/app"\)/],
  ["descriptors", /^close_range\(/],
  ["groups of the function", /^setgroups\(0/],
  ["group of the function", /^setresgid\(1000, 1000, 1000\)/],
  ["user of the function", /^setresuid\(1000, 1000, 1000\)/],
  ["capabilities", /^capset\(.*permitted=0/],
  ["no_new_privs", /^prctl\(PR_SET_NO_NEW_PRIVS, 1/],
  ["filter", /^seccomp\(SECCOMP_SET_MODE_FILTER/],
  ["exec", /^execve\("\/bin\/probe"/],
];

let boxes: TestBoxes;
let calls: { pid: string; call: string }[];

beforeAll(async () => {
  boxes = await TestBoxes.open();
  const file = join(boxes.dir, "strace");
  const strace = spawn("strace", ["-f", "-qq", "-o", file, "-p", String(boxes.host.launcherPid)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const attached = () => /TracerPid:\t[1-9]/.test(readFileSync(`/proc/${boxes.host.launcherPid}/status`, "utf8"));
  await waitUntil(attached, 10_000);
  const { ending } = await boxes.run(boxes.probe("exit 0"));
  expect(ending).toEqual({ kind: "exit", code: 0 });
  strace.kill("SIGINT");
  await once(strace, "exit");
  calls = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => /^(\d+) +([a-z].*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ pid: match[1]!, call: match[2]! }));
});
afterAll(() => boxes?.close());

describe("a box is made", () => {
  it("in the order that leaves no gap", () => {
    const main = calls.find(({ call }) => call.startsWith('execve("/bin/probe"'))!.pid;
    const init = calls.find(({ call }) => call.startsWith("pivot_root("))!.pid;
    const story = calls.filter(({ pid }) => pid === init || pid === main);
    // PID 1 goes on beside the main process: after the fork, only the main process counts.
    const fork = story.findIndex(({ pid }) => pid === main);
    const made = [...story.slice(0, fork), ...story.slice(fork).filter(({ pid }) => pid === main)];
    let at = -1;
    for (const [what, call] of IN_ORDER) {
      const next = made.findIndex((each, index) => index > at && call.test(each.call));
      expect(next, `${what}, after ${at < 0 ? "the beginning" : made[at]!.call}`).toBeGreaterThan(at);
      at = next;
    }
  });

  it("with nothing between the filter and exec", () => {
    const main = calls.find(({ call }) => call.startsWith('execve("/bin/probe"'))!.pid;
    const own = calls.filter(({ pid }) => pid === main).map(({ call }) => call);
    const filter = own.findIndex((call) => call.startsWith("seccomp("));
    expect(own[filter + 1]).toMatch(/^execve\("\/bin\/probe"/);
  });

  it("and PID 1 gives up the same before it says that the program runs", () => {
    const init = calls.find(({ call }) => call.startsWith("pivot_root("))!.pid;
    const own = calls.filter(({ pid }) => pid === init).map(({ call }) => call);
    const filter = own.findIndex((call) => call.startsWith("seccomp("));
    const nnp = own.findIndex((call) => call.startsWith("prctl(PR_SET_NO_NEW_PRIVS"));
    const caps = own.findIndex((call) => /^capset\(.*permitted=0/.test(call));
    expect(caps).toBeGreaterThan(0);
    expect([caps < nnp, nnp < filter]).toEqual([true, true]);
    expect(own.slice(filter + 1).filter((call) => /^(open|openat|mount|setns|unshare)/.test(call))).toEqual([]);
  });
});
