import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Box } from "./box.ts";
import { waitUntil } from "./cgroup/wait.ts";
import { openBoxHost } from "./host.ts";
import { TestBoxes } from "./testing/boxes.ts";
import { buildNative, type Native } from "./testing/native.ts";

const dir = mkdtempSync(join(tmpdir(), "mayfly-native-"));
let native: Native;
let boxes: TestBoxes;
beforeAll(() => {
  native = buildNative(dir);
});
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(() => boxes?.close());

const lines = (path: string): number => readFileSync(path, "utf8").trim().split("\n").length;
const uidOf = (pid: number): number => Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
const childrenOf = (pid: number): string => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();

function hasProgram(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== "";
  } catch {
    return false;
  }
}

/** What a launcher and we hold: descriptors, mounts, children. */
function held(launcher: number) {
  return {
    ours: readdirSync("/proc/self/fd").length,
    launchers: readdirSync(`/proc/${launcher}/fd`).length,
    mounts: lines(`/proc/${launcher}/mountinfo`),
    children: childrenOf(launcher),
  };
}

describe("a host of boxes", () => {
  it("has nothing left of fifty boxes, whatever their endings", async () => {
    boxes = await TestBoxes.open({ native });
    const launcher = boxes.host.launcherPid!;
    const habits = ["exit 0", "exit 3", "signal 11", "forks 3", "nothing"];
    const each = async (i: number) => {
      const box = boxes.probe(habits[i % habits.length]!, {
        channel: i % 2 === 0,
        meter: i % 3 ? "from_exec" : "from_handover",
      });
      await boxes.run(i % 7 === 6 ? { ...box, rootfs: { lower: ["/nonexistent"] } } : box);
    };
    for (let i = 0; i < 10; i += 1) await each(i);
    await sleep(50);
    const before = held(launcher);
    for (let i = 0; i < 50; i += 1) await each(i);
    await waitUntil(() => readdirSync("/proc/self/fd").length <= before.ours, 1000);
    expect(held(launcher)).toEqual(before);
    expect(await boxes.host.orphans()).toEqual([]);
    expect(boxes.diagnostics).toEqual([]);
  });

  it("runs eight boxes at once, each with host ids that no other has and that are nobody's on the host", async () => {
    boxes = await TestBoxes.open({ native });
    const running = await Promise.all(Array.from({ length: 8 }, () => boxes.host.start(boxes.probe("sleep"))));
    const bases = running.map((box) => uidOf(box.pid) - 1000);
    expect(new Set(bases).size).toBe(8);
    for (const base of bases) expect([base >= 0x40000000, base % 65536]).toEqual([true, 0]);
    await Promise.all(running.map((box) => end(box)));
    const again = await boxes.host.start(boxes.probe("sleep"));
    expect(bases).toContain(uidOf(again.pid) - 1000);
    await end(again);
  });

  it("loses every box with its launcher, says so, and makes no more", async () => {
    boxes = await TestBoxes.open({ native });
    const running = await Promise.all([
      boxes.host.start(boxes.probe("spin")),
      boxes.host.start(boxes.probe("spin", { meter: "from_handover" })),
    ]);
    process.kill(boxes.host.launcherPid!, "SIGKILL");
    await boxes.host.failed;
    for (const box of running) {
      expect(await box.ended).toEqual({ kind: "killed", reason: "the launcher was lost" });
      expect(existsSync(`/proc/${box.pid}`)).toBe(false);
      await box.remove();
    }
    const { ending } = await boxes.run(boxes.probe("exit 0"));
    expect(ending).toMatchObject({ kind: "refused", message: expect.stringContaining("the launcher") });
  });

  it("dies with the process that opened it, and with it every box; its successor finds their cgroups", async () => {
    boxes = await TestBoxes.open({ native });
    const spec = boxes.probe("spin", { id: "left-behind" });
    const options = { instance: boxes.instance, ...native, runDir: `${boxes.dir}/run` };
    const script = `
      import { openBoxHost } from ${JSON.stringify(join(import.meta.dirname, "host.ts"))};
      const host = await openBoxHost(${JSON.stringify(options)});
      const box = await host.start(${JSON.stringify(spec)});
      console.log(host.launcherPid, box.pid);`;
    const opener = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(opener.stdout, "data");
    const [launcher, main] = String(line).trim().split(" ").map(Number);
    opener.kill("SIGKILL");
    await once(opener, "exit");
    // A zombie has no program any more; the host's init reaps it when it likes.
    const alive = () => [launcher, main].filter((pid) => hasProgram(pid!));
    await waitUntil(() => alive().length === 0, 2000);
    expect(alive()).toEqual([]);
    const [orphan] = await boxes.host.orphans();
    expect(orphan!.id).toBe("left-behind");
    expect((await orphan!.remove()).cpu_us).toBeGreaterThan(0);
  });

  it("kills what still runs when it closes", async () => {
    boxes = await TestBoxes.open({ native });
    const box = await boxes.host.start(boxes.probe("spin"));
    const closing = boxes.close();
    expect(await box.ended).toEqual({ kind: "killed", reason: "the host is closing" });
    await box.remove();
    await closing;
    expect(existsSync(`/proc/${box.pid}`)).toBe(false);
  });

  it("finds what a dead predecessor left, with its usage, and ends it", async () => {
    boxes = await TestBoxes.open({ native });
    const instance = boxes.instance;
    const box = await boxes.host.start(boxes.probe("hog 20"));
    await box.ended; // its cgroup stays: nobody has removed it
    expect(await boxes.host.orphans()).toEqual([]);
    const successor = await openBoxHost({
      instance,
      launcher: boxes.native.launcher,
      addon: boxes.native.addon,
      runDir: `${boxes.dir}/run`,
    });
    const orphans = await successor.orphans();
    expect(orphans.map((orphan) => orphan.id)).toEqual([box.id]);
    await orphans[0]!.kill();
    const usage = await orphans[0]!.remove();
    expect(usage.memory_peak_bytes).toBeGreaterThan(20 * 1024 * 1024);
    expect(await successor.orphans()).toEqual([]);
    await successor.close();
  });

  it("does not take an id twice while the first box of it is there", async () => {
    boxes = await TestBoxes.open({ native });
    const spec = boxes.probe("sleep");
    const box = await boxes.host.start(spec);
    await expect(boxes.host.start(spec)).rejects.toThrow(/EEXIST/);
    await end(box);
    await end(await boxes.host.start(spec));
  });
});

async function end(box: Box): Promise<void> {
  box.kill({ kind: "killed", reason: "the test is over" });
  await box.remove();
  box.stdout.destroy();
  box.stderr.destroy();
}
