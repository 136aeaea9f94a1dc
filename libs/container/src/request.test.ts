import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Addon, loadAddon } from "./addon.ts";
import { waitUntil } from "./cgroup/wait.ts";
import { startRequest } from "./request.ts";
import type { BoxSpec } from "./spec.ts";
import { buildNative } from "./testing/native.ts";

/** The launcher's reader of requests against bytes that nobody of ours would send. Built with AddressSanitizer and UBSan. */
const dir = mkdtempSync(join(tmpdir(), "mayfly-requests-"));
let addon: Addon;
let launcher: ChildProcess;
let control: number;
const said: string[] = [];
const complaints: string[] = [];
let marks = 0;

beforeAll(() => {
  addon = loadAddon(buildNative(join(dir, "plain")).addon);
  const { launcher: sanitized } = buildNative(join(dir, "sanitized"), true);
  const [ours, theirs] = addon.socketPair(true);
  control = ours;
  launcher = spawn(sanitized, [dir], {
    stdio: ["ignore", "pipe", "pipe", theirs],
    env: { ASAN_OPTIONS: "detect_leaks=0" },
  });
  closeSync(theirs);
  createInterface({ input: launcher.stdout! }).on("line", (line) => said.push(line));
  createInterface({ input: launcher.stderr! }).on("line", (line) => complaints.push(line));
});
afterAll(async () => {
  closeSync(control);
  if (launcher.exitCode === null) await once(launcher, "exit");
  rmSync(dir, { recursive: true });
});

const SPEC: BoxSpec = {
  id: "fuzz",
  rootfs: { lower: ["/nonexistent/layer"] },
  mounts: [
    { kind: "bind", source: "/nonexistent", target: "/app", make: true, readonly: false, ids: "box" },
    {
      kind: "layers",
      rootfs: { lower: ["/nonexistent"] },
      source: "/",
      target: "/a",
      make: false,
      upper: "/u",
      readonly: true,
    },
    { kind: "tmpfs", target: "/t", make: false, size_bytes: 4096, mode: 0o1777 },
    { kind: "file", source: "/nonexistent", target: "/f", make: true, mode: 0o400, uid: 1, gid: 2 },
  ],
  args: ["/bin/nothing", "argument"],
  env: ["A=B"],
  cwd: "/",
  user: { uid: 1000, gid: 1000, groups: [7] },
  hostname: "fuzz",
  limits: { memory_bytes: 1, cpu_millis: 1, cpu_weight: 1, pids: 1, tmp_bytes: 65_536, open_files: 64 },
  profile: "function",
  nursery: null,
  meter: "from_exec",
  channel: false,
  stdin: false,
  terminal: false,
  writable: null,
  serve: null,
  idBase: null,
  network: "none",
};

/** xorshift: the same bytes in every run, so that a failure can be had again. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

async function send(bytes: Uint8Array, descriptors: readonly number[] = []): Promise<void> {
  for (;;) {
    try {
      return addon.send(control, bytes, descriptors);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await sleep(1);
    }
  }
}

/** Everything sent is read, in order, up to a last request of ours; nobody complained. Answers what was said since the last time. */
async function settled(): Promise<string[]> {
  marks += 1;
  const last = `last-${marks}`;
  await send(Buffer.from(`id\0${last}\0`));
  const isRead = () => said.some((line) => line.includes(`"${last}"`));
  await waitUntil(() => isRead() || launcher.exitCode !== null || launcher.signalCode !== null, 20_000);
  expect([complaints, launcher.exitCode, launcher.signalCode, isRead()]).toEqual([[], null, null, true]);
  for (const line of said) expect(() => JSON.parse(line), line).not.toThrow();
  return said.splice(0);
}

describe("the launcher", () => {
  it("answers random bytes of random length, and lives", async () => {
    const random = randoms(1);
    for (let i = 0; i < 2000; i += 1) {
      const bytes = Uint8Array.from({ length: 1 + random(i % 50 === 0 ? 150_000 : 300) }, () => random(256));
      if (random(2)) bytes[bytes.length - 1] = 0;
      await send(bytes);
    }
    expect((await settled()).length).toBeGreaterThan(2000);
  });

  it("answers requests that are nearly right: bytes changed, cut, doubled", async () => {
    const random = randoms(2);
    const rights = [null, { resolvConf: "/nonexistent/resolv.conf" }].map((given) =>
      Buffer.from(startRequest(SPEC, 3, ["/nonexistent/cgroup.procs"], given)),
    );
    const null_ = openSync("/dev/null", "r");
    for (let i = 0; i < 2000; i += 1) {
      const right = rights[i % 2]!;
      let bytes = Buffer.from(right);
      for (let changes = random(4); changes > 0; changes -= 1) bytes[random(bytes.length)] = random(256);
      if (random(3) === 0) bytes = bytes.subarray(0, 1 + random(bytes.length));
      if (random(3) === 0) bytes = Buffer.concat([bytes, right.subarray(random(right.length))]);
      // A whole request needs two descriptors to start a box; there is no layer to start it on.
      await send(
        bytes,
        Array.from({ length: random(6) }, () => null_),
      );
    }
    closeSync(null_);
    expect((await settled()).length).toBeGreaterThan(1000);
    await sleep(100);
    const open = readdirSync(`/proc/${launcher.pid}/fd`).length;
    expect(open).toBeLessThan(16);
  });

  it("answers a request whose network namespace did not come", async () => {
    const request = startRequest(SPEC, 3, [], { resolvConf: "/nonexistent/resolv.conf" });
    const null_ = openSync("/dev/null", "r");
    await send(request);
    await send(request, [null_, null_]); // the last of them is the namespace
    closeSync(null_);
    const steps = (await settled()).map((line) => JSON.parse(line)).filter(({ id }) => id === SPEC.id);
    expect(steps.flatMap(({ step }) => step ?? [])).toEqual([
      "no descriptor of the network namespace",
      "no descriptors for standard output and error",
    ]);
  });

  it("answers lists that are longer than it has room for", async () => {
    const pairs = (key: string, value: string, count: number) => Buffer.from(`${key}\0${value}\0`.repeat(count));
    const lists: [string, string][] = [
      ["arg", "/a"],
      ["env", "A=B"],
      ["lower", "/l"],
      ["join", "/j"],
      ["group", "1"],
      ["mount", "bind"],
    ];
    for (const [key, value] of lists) await send(pairs(key, value, 5000));
    await send(Buffer.concat([pairs("mount", "layers", 1), pairs("mount_lower", "/l", 5000)]));
    expect((await settled()).filter((line) => line.includes("too many"))).toHaveLength(lists.length + 1);
  });

  it("answers a message that is longer than its buffer, and none by the name of the one before", async () => {
    await send(Buffer.from("op\0kill\0id\0victim\0"));
    await send(Buffer.alloc(250_000, "id\0other\0"));
    const tooLong = (await settled()).filter((line) => line.includes("a request is too long"));
    expect(tooLong).toHaveLength(1);
    expect([undefined, "other"]).toContain(JSON.parse(tooLong[0]!).id);
  });
});
