import { mkdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestBoxes } from "./testing/boxes.ts";

/** What a box needs that somebody keeps, talks to, and starts again. */
describe("a box that is kept", () => {
  let boxes: TestBoxes;
  beforeAll(async () => {
    boxes = await TestBoxes.open();
  });
  afterAll(() => boxes.close());

  it("finds what it wrote, as its own, when it starts again with the ids that are reserved for it", async () => {
    const idBase = boxes.host.reserveIds(null);
    const writable = join(boxes.dir, "kept");
    mkdirSync(writable);
    const count = `let n = 0; try { n = +fs.readFileSync("/tmp/n") } catch {} fs.writeFileSync("/tmp/n", String(n + 1));
      console.log(n, fs.statSync("/tmp/n").uid)`;
    const run = async () => {
      const { box, stdout } = await boxes.run(boxes.node(count, { writable, idBase }));
      await rm(join(writable, "w"), { recursive: true });
      return [box.idBase, stdout];
    };
    expect(await run()).toEqual([idBase, "0 1000\n"]);
    // Others that run meanwhile take the ranges that are free.
    expect((await boxes.run(boxes.probe("forks 1"))).box.idBase).not.toBe(idBase);
    expect(await run()).toEqual([idBase, "1 1000\n"]);
    expect(statSync(join(writable, "u/tmp/n")).uid).toBe(idBase + 1000);
    expect(() => boxes.host.reserveIds(idBase)).toThrow("taken");
    boxes.host.releaseIds(idBase);
    expect(boxes.host.reserveIds(idBase)).toBe(idBase);
    boxes.host.releaseIds(idBase);
  });

  it("opens its standard streams anew by their names", async () => {
    const script = `fs.writeFileSync("/dev/stdout", fs.readFileSync("/dev/stdin")); fs.writeFileSync("/dev/stderr", "e")`;
    const box = await boxes.host.start(boxes.node(script, { stdin: true }));
    box.stdin!.end("through");
    expect(await Promise.all([text(box.stdout), text(box.stderr)])).toEqual(["through", "e"]);
    expect(await box.ended).toEqual({ kind: "exit", code: 0 });
    await box.remove();
  });

  it("takes a signal, and none when it has ended", async () => {
    const script = `process.on("SIGUSR1", () => console.log("heard")); setInterval(() => {}, 1000); console.log("up")`;
    const box = await boxes.host.start(boxes.node(script));
    const lines = box.stdout[Symbol.asyncIterator]();
    expect(String((await lines.next()).value)).toBe("up\n");
    box.signal("SIGUSR1");
    expect(String((await lines.next()).value)).toBe("heard\n");
    box.signal("SIGTERM");
    expect(await box.ended).toEqual({ kind: "signal", signal: 15 });
    box.signal("SIGTERM");
    await box.remove();
  });
});
