import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BadBoxSpec, type BoxSpec } from "./spec.ts";
import { TestBoxes } from "./testing/boxes.ts";
import { makeOddLayer, shown } from "./testing/root.ts";

let boxes: TestBoxes;
beforeAll(async () => {
  boxes = await TestBoxes.open();
});
afterAll(() => boxes?.close());

const MIB = 1024 * 1024;

describe("a box ends", () => {
  it("with its program's exit code", async () => {
    for (const code of [0, 1, 127, 255]) {
      expect((await boxes.run(boxes.probe(`exit ${code}`))).ending).toEqual({ kind: "exit", code });
    }
  });

  it("with the signal that its program died of", async () => {
    for (const signal of [6, 9, 11, 15]) {
      expect((await boxes.run(boxes.probe(`signal ${signal}`))).ending).toEqual({ kind: "signal", signal });
    }
  });

  it("out of memory when it needs more than its limit, and the bill knows the limit as peak", async () => {
    const { ending, usage } = await boxes.run(boxes.probe("hog 64", { limits: { memory_bytes: 32 * MIB } }));
    expect(ending).toEqual({ kind: "out_of_memory" });
    expect(usage).toMatchObject({ memory_peak_bytes: 32 * MIB, oom_kills: 1 });
  });

  it("at its deadline however busy it is, and uses no CPU afterwards", async () => {
    const box = await boxes.host.start(boxes.probe("spin"));
    await sleep(50);
    const began = performance.now();
    box.kill({ kind: "timeout" });
    expect(await box.ended).toEqual({ kind: "timeout" });
    expect(performance.now() - began).toBeLessThan(1000);
    expect(existsSync(`/proc/${box.pid}`)).toBe(false);
    const used = box.sample().cpu_us;
    await sleep(30);
    expect(box.sample().cpu_us).toBe(used);
    await box.remove();
  });

  it("for the first reason that it was killed for", async () => {
    const box = await boxes.host.start(boxes.probe("sleep"));
    box.kill({ kind: "killed", reason: "the caller went away" });
    box.kill({ kind: "timeout" });
    expect(await box.ended).toEqual({ kind: "killed", reason: "the caller went away" });
    await box.remove();
  });

  it("with its own exit when it was faster than a kill", async () => {
    const box = await boxes.host.start(boxes.probe("exit 4"));
    await box.ended;
    box.kill({ kind: "timeout" });
    expect(await box.ended).toEqual({ kind: "exit", code: 4 });
    await box.remove();
  });

  it("as a whole: children that its program leaves behind die with it", async () => {
    const { ending, stdout, usage } = await boxes.run(boxes.probe("forks 5"));
    expect([ending, stdout]).toEqual([{ kind: "exit", code: 0 }, "5 ok\n"]);
    expect(usage.pids_peak).toBe(7);
  });

  it("when it is killed while it is frozen", async () => {
    const box = await boxes.host.start(boxes.probe("spin"));
    await box.freeze();
    const used = box.sample().cpu_us;
    await sleep(30);
    expect(box.sample().cpu_us).toBe(used);
    box.kill({ kind: "timeout" });
    expect(await box.ended).toEqual({ kind: "timeout" });
    await box.remove();
  });

  it("and output that it wrote before is all there", async () => {
    const box = await boxes.host.start(boxes.probe("forks 0"));
    await box.ended;
    expect(await text(box.stdout)).toBe("0 ok\n");
    await box.remove();
  });
});

describe("a box is refused, by the step that failed and with the system's answer,", () => {
  const refused = async (changes: Partial<BoxSpec>) => {
    const { ending, box, usage } = await boxes.run(boxes.probe("exit 0", changes));
    expect(box.pid).toBe(0);
    expect(usage.oom_kills).toBe(0);
    return ending;
  };
  const odd = (shape: Parameters<typeof makeOddLayer>[1]) => ({
    rootfs: { lower: [makeOddLayer(boxes.dir, shape), ...boxes.layers] },
  });

  it("when a layer is missing", async () => {
    expect(await refused({ rootfs: { lower: ["/nonexistent"] } })).toMatchObject({
      kind: "refused",
      step: "open layer",
      errno: "ENOENT",
      remedy: expect.stringContaining("pull or build"),
    });
  });

  it("when the program is missing, or no program", async () => {
    const missing = {
      kind: "refused",
      step: "exec",
      errno: "ENOENT",
      remedy: expect.stringContaining("not in the image"),
    };
    expect(await refused({ args: ["/bin/nothing"] })).toMatchObject(missing);
    expect(await refused({ args: ["/app/hello.txt"] })).toMatchObject({ step: "exec", errno: "EACCES" });
    expect(await refused({ args: ["/app"] })).toMatchObject({ step: "exec", errno: "EACCES" });
  });

  it("when the working folder is a file, cannot be made beyond a link, or is the host's by a descriptor", async () => {
    expect(await refused({ cwd: "/app/hello.txt" })).toMatchObject({ step: "enter working folder", errno: "ENOTDIR" });
    expect(await refused({ ...odd({ link: "way", to: "/app" }), cwd: "/way/new" })).toMatchObject({ errno: "ENOENT" });
    for (let fd = 0; fd < 12; fd += 1) {
      expect(await refused({ cwd: `/proc/self/fd/${fd}/..` }), `descriptor ${fd}`).toMatchObject({ kind: "refused" });
    }
  });

  it("when an image makes /proc or /dev a link", async () => {
    for (const name of ["proc", "dev"] as const) {
      expect(await refused(odd({ link: name, to: "/tmp" }))).toMatchObject({
        step: expect.stringContaining(`place /${name}`),
        errno: "ELOOP",
      });
    }
  });

  it("when a mount's target is missing, or is reached through a link", async () => {
    const bind = (target: string) => ({ mounts: [shown("/etc", target)] });
    expect(await refused(bind("/missing"))).toMatchObject({
      step: expect.stringContaining("place mount"),
      errno: "ENOENT",
    });
    expect(await refused({ ...odd({ link: "way", to: "/" }), ...bind("/way/etc") })).toMatchObject({ errno: "ELOOP" });
    expect(await refused(bind("/../../app/..//tmp/../missing"))).toMatchObject({ kind: "refused" });
  });

  it("and a program that cannot even be loaded into its memory is no success", async () => {
    const { ending } = await boxes.run(boxes.probe("exit 0", { limits: { memory_bytes: 64 * 1024 } }));
    expect(ending.kind).toMatch(/out_of_memory|refused/);
  });
});

describe("a spec that cannot be a box", () => {
  it("throws, names the field, and leaves no cgroup", async () => {
    const cases: [Partial<BoxSpec>, RegExp][] = [
      [{ id: "../x" }, /^id:/],
      [{ args: [""] }, /^args:/],
      [{ args: ["/bin/probe", "a\0b"] }, /NUL/],
      [{ mounts: [shown("/etc", "/x\0unprotected\0seccomp")] }, /NUL/],
      [{ mounts: [shown("etc", "/x")] }, /^mounts:/],
      [{ cwd: "app" }, /^cwd:/],
      [{ user: { uid: 65_536, gid: 0, groups: [] } }, /^user:/],
      [{ env: [`A=${"x".repeat(300_000)}`] }, /300/],
    ];
    for (const [changes, message] of cases) {
      await expect(boxes.host.start(boxes.probe("exit 0", changes))).rejects.toThrow(message);
      await expect(boxes.host.start(boxes.probe("exit 0", changes))).rejects.toThrow(BadBoxSpec);
    }
    expect(await boxes.host.orphans()).toEqual([]);
  });
});

describe("a program without a slash", () => {
  it("is looked for in the PATH of its own environment", async () => {
    expect((await boxes.run(boxes.spec(["probe", "exit", "3"], { env: ["PATH=/nowhere:/bin"] }))).ending).toEqual({
      ...{ kind: "exit", code: 3 },
    });
    const { ending } = await boxes.run(boxes.spec(["probe", "exit", "3"], { env: ["PATH=/nowhere"] }));
    expect(ending).toMatchObject({ kind: "refused", step: "exec", errno: "ENOENT" });
  });
});
