import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Box } from "./box.ts";
import { TestBoxes } from "./testing/boxes.ts";

let boxes: TestBoxes;
beforeAll(async () => {
  boxes = await TestBoxes.open();
});
afterAll(() => boxes?.close());

const MIB = 1024 * 1024;

/** What a JavaScript function may reasonably use, in one program: a name and a promise of true for each. */
const USES = `
const { once } = require("node:events"), { promisify } = require("node:util");
const uses = {
  async files() { fs.writeFileSync("/tmp/a", "x"); await fs.promises.rename("/tmp/a", "/tmp/b"); return fs.readFileSync("/tmp/b", "utf8") === "x"; },
  async watching() { const w = fs.watch("/tmp"); setTimeout(() => fs.writeFileSync("/tmp/w", ""), 5); await once(w, "change"); w.close(); return true; },
  async crypto() { const c = require("node:crypto"); return (await promisify(c.scrypt)("a", "b", 32)).length === 32 && c.randomUUID().length === 36 && c.getRandomValues(new Uint8Array(8)).length === 8; },
  async zlib() { const z = require("node:zlib"); return (await promisify(z.gunzip)(await promisify(z.gzip)("hi"))).toString() === "hi"; },
  async http() { const s = require("node:http").createServer((q, r) => r.end("ok")).listen(0, "127.0.0.1"); await once(s, "listening"); const t = await (await fetch("http://127.0.0.1:" + s.address().port)).text(); s.closeAllConnections(); s.close(); return t === "ok"; },
  async ipv6() { const s = require("node:http").createServer((q, r) => r.end("ok")).listen(0, "::1"); await once(s, "listening"); s.close(); return true; },
  async worker() { const { Worker } = require("node:worker_threads"); const w = new Worker("require('node:worker_threads').parentPort.postMessage(42)", { eval: true }); const [m] = await once(w, "message"); return m === 42; },
  async child() { const { stdout } = await promisify(require("node:child_process").execFile)(process.execPath, ["-p", "6*7"]); return stdout.trim() === "42"; },
  async dns() { try { await require("node:dns").promises.lookup("example.com"); return false; } catch (e) { return ["EAI_AGAIN", "ENOTFOUND"].includes(e.code); } },
  async network() { try { await fetch("http://192.0.2.1/"); return false; } catch (e) { return e.cause.code === "ENETUNREACH"; } },
  async interfaces() { return Object.keys(require("node:os").networkInterfaces()).join() === "lo"; },
  async wasm() { return (await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))) instanceof WebAssembly.Module; },
  async machine() { const os = require("node:os"); return os.cpus().length > 0 && os.totalmem() > 0 && os.hostname() === "box"; },
  async user() { return require("node:os").userInfo().username === "fn" && process.getuid() === 1000; },
  async output() { for (const way of ["/dev/stdout", "/dev/stderr"]) fs.closeSync(fs.openSync(way, "a")); return true; },
  async input() { return fs.readFileSync(0).length === 0; },
};
(async () => { for (const [name, use] of Object.entries(uses)) console.log(name, await use().catch((e) => e.message)); })();`;

/** Boots, says so over the channel, waits for a byte, does its work, and says what both took by its own count. */
const handedOver = (work: string) => `
const s = new (require("node:net").Socket)({ fd: 3 }); s.write("r");
const cpu = () => { const { user, system } = process.cpuUsage(); return user + system; };
s.once("data", () => { const boot_us = cpu(); ${work}; s.end(JSON.stringify({ boot_us, work_us: cpu() - boot_us })); });`;

async function handover(box: Box): Promise<{ boot_us: number; work_us: number }> {
  await once(box.channel!, "data");
  await box.handover();
  box.channel!.write("go");
  const took = JSON.parse(await text(box.channel!));
  box.channel!.end();
  expect(await box.ended).toEqual({ kind: "exit", code: 0 });
  return took;
}

describe("Node in a box", () => {
  it("can do what a function may reasonably want, and reaches nobody", async () => {
    const { stdout, stderr, ending } = await boxes.run(boxes.node(USES));
    const wrong = stdout.split("\n").filter((line) => line !== "" && !line.endsWith(" true"));
    expect([wrong, stderr, ending]).toEqual([[], "", { kind: "exit", code: 0 }]);
    expect(stdout.trim().split("\n")).toHaveLength(16);
  });

  it("is metered from its hand-over: neither its boot nor its memory before is on the bill", async () => {
    const spec = boxes.node(handedOver(""), { channel: true, meter: "from_handover" });
    const box = await boxes.host.start(spec);
    expect(box.sample().cpu_us).toBe(0);
    const { boot_us } = await handover(box);
    const usage = await box.remove();
    expect(usage.cpu_us).toBeGreaterThan(0);
    expect(usage.cpu_us).toBeLessThan(boot_us / 2);
    expect(usage.memory_peak_bytes).toBeLessThan(16 * MIB);
  });

  it("pays for what it does after it: 64 MiB touched, 100 ms burned", async () => {
    const work = `globalThis.kept = Buffer.alloc(${64 * MIB}, 1); const t = process.cpuUsage(); while (process.cpuUsage(t).user + process.cpuUsage(t).system < 100000);`;
    const box = await boxes.host.start(boxes.node(handedOver(work), { channel: true, meter: "from_handover" }));
    const { boot_us, work_us } = await handover(box);
    const usage = await box.remove();
    expect(usage.memory_peak_bytes).toBeGreaterThanOrEqual(64 * MIB);
    expect(usage.memory_peak_bytes).toBeLessThanOrEqual(80 * MIB);
    expect(work_us).toBeGreaterThan(100_000);
    expect(usage.cpu_us).toBeGreaterThan(work_us * 0.95);
    // What is left is its end, which has 64 MiB to give back.
    expect(usage.cpu_us).toBeLessThan(work_us * 1.2 + boot_us / 2);
  });

  it("is limited from its hand-over as well", async () => {
    const work = `const all = []; for (;;) all.push(Buffer.alloc(${8 * MIB}, 1));`;
    const limits = { memory_bytes: 64 * MIB };
    const box = await boxes.host.start(boxes.node(handedOver(work), { channel: true, meter: "from_handover", limits }));
    await once(box.channel!, "data");
    await box.handover();
    box.channel!.write("go");
    expect(await box.ended).toEqual({ kind: "out_of_memory" });
    box.channel!.destroy();
    expect(await box.remove()).toMatchObject({ memory_peak_bytes: 64 * MIB });
  });

  it("may end before its hand-over without anybody failing", async () => {
    const box = await boxes.host.start(boxes.node("process.exit(7)", { channel: true, meter: "from_handover" }));
    expect(await box.ended).toEqual({ kind: "exit", code: 7 });
    await box.handover();
    box.channel!.destroy();
    await box.remove();
  });
});

describe("the channel", () => {
  it("carries bytes both ways, and the end of either", async () => {
    const box = await boxes.host.start(boxes.probe("echo", { channel: true }));
    const sent = Buffer.alloc(4 * MIB, "mayfly ");
    box.channel!.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of box.channel!) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
    expect(await box.ended).toEqual({ kind: "exit", code: 0 });
    await box.remove();
  });

  it("does not fail us when a box dies with bytes unread, even before anybody listens", async () => {
    const box = await boxes.host.start(boxes.probe("sleep", { channel: true }));
    box.channel!.write(Buffer.alloc(MIB));
    box.kill({ kind: "timeout" });
    await box.ended;
    await sleep(20);
    box.channel!.destroy();
    await box.remove();
  });
});
