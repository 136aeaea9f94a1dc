import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestBoxes } from "./testing/boxes.ts";

let boxes: TestBoxes;
beforeAll(async () => {
  boxes = await TestBoxes.open();
});
afterAll(() => boxes?.close());

const MIB = 1024 * 1024;

describe("a box", () => {
  it("has no more processes than its limit, PID 1 among them", async () => {
    const { stdout, usage } = await boxes.run(boxes.probe("forks 100", { limits: { pids: 16 } }));
    expect(stdout).toBe("14 EAGAIN\n");
    expect(usage.pids_peak).toBe(16);
  });

  it("that is a fork bomb stays in its limit and is killed whole", async () => {
    const box = await boxes.host.start(boxes.probe("bomb", { limits: { pids: 64 } }));
    const deadline = setTimeout(() => box.kill({ kind: "timeout" }), 300);
    expect(await box.ended).toEqual({ kind: "timeout" });
    clearTimeout(deadline);
    const usage = await box.remove();
    expect(usage.pids_peak).toBe(64);
  });

  it("reaps whoever loses its parent", async () => {
    const { stdout, ending } = await boxes.run(boxes.probe("orphans 10"));
    expect([stdout, ending]).toEqual(["2\n", { kind: "exit", code: 0 }]);
  });

  it("writes no more than its limit, to /tmp and /dev/shm together, and pays for it with its memory", async () => {
    const tmp_bytes = 8 * MIB;
    const { stdout, usage } = await boxes.run(boxes.probe("fill 64", { limits: { tmp_bytes } }));
    expect(stdout).toBe("8 ENOSPC\n");
    expect(usage.memory_peak_bytes).toBeGreaterThan(tmp_bytes);
    expect((await boxes.run(boxes.probe("fill-shm 64", { limits: { tmp_bytes } }))).stdout).toBe("8 ENOSPC\n");
  });

  it("makes no more files than its limit", async () => {
    const script = `let n = 0; try { for (;;) fs.writeFileSync("/tmp/" + n++, ""); } catch (e) { console.log(n > 1000, n < 5000, e.code); }`;
    const { stdout } = await boxes.run(boxes.node(script, { limits: { tmp_bytes: 4 * MIB } }));
    expect(stdout).toBe("true true ENOSPC\n");
  });

  it("opens no more files than its limit, nor raises it above its hard one", async () => {
    const script = `let n = 0; try { for (;;) { fs.openSync("/dev/null"); n++; } } catch (e) { console.log(n, e.code); }`;
    const { stdout } = await boxes.run(boxes.node(script, { limits: { open_files: 64 } }));
    const [opened, code] = stdout.trim().split(" ");
    // Node raises its soft limit to the hard one, four times as high.
    expect(Number(opened)).toBeGreaterThan(200);
    expect(Number(opened)).toBeLessThan(256);
    expect(code).toBe("EMFILE");
  });

  it("gets the share of a core that it is given", async () => {
    const box = await boxes.host.start(boxes.probe("spin", { limits: { cpu_millis: 250 } }));
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 800));
    box.kill({ kind: "timeout" });
    await box.ended;
    const usage = await box.remove();
    const share = usage.cpu_us! / 1000 / (performance.now() - began);
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.35);
    expect(usage.throttled_periods).toBeGreaterThan(2);
  });
});
