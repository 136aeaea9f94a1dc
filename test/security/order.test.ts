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
  calls = readCalls(readFileSync(file, "utf8"));
});
afterAll(() => boxes?.close());

/** In the order in which they began. Two processes at once: strace breaks a call off, `f(a <unfinished ...>`, and ends it lines later. */
function readCalls(trace: string): { pid: string; call: string }[] {
  const found: { pid: string; call: string }[] = [];
  for (const line of trace.split("\n")) {
    const [, pid, call] = /^(\d+) +([a-z].*)$/.exec(line) ?? [];
    const [, ofPid, rest] = /^(\d+) +<\.\.\. \w+ resumed>(.*)$/.exec(line) ?? [];
    const begun = found.findLast((each) => each.pid === ofPid);
    if (pid && call) found.push({ pid, call });
    else if (begun) begun.call = begun.call.replace(/ *<unfinished \.\.\.>$/, "") + rest;
  }
  return found;
}

it("a trace is read with the calls that were broken off put together", () => {
  const trace =
    '7 umount2(".", MNT_DETACH <unfinished ...>\n8 getpid() = 1\n7 <... umount2 resumed>) = 0\n8 +++ exited with 0 +++\n';
  expect(readCalls(trace)).toEqual([
    { pid: "7", call: 'umount2(".", MNT_DETACH) = 0' },
    { pid: "8", call: "getpid() = 1" },
  ]);
});

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
