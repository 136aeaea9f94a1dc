import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestBoxes } from "./testing/boxes.ts";

describe("a box with a terminal", () => {
  let boxes: TestBoxes;
  beforeAll(async () => {
    boxes = await TestBoxes.open();
  });
  afterAll(() => boxes.close());

  it("has it as its standard streams, as its controlling terminal, and by its name", async () => {
    const script = `const tty = require("tty"); const { dev, rdev } = fs.fstatSync(0);
      console.log([0, 1, 2].map((fd) => tty.isatty(fd)).join());
      console.log(fs.readlinkSync("/proc/self/fd/0"), fs.statSync("/dev/pts/0").rdev === rdev);
      fs.writeFileSync("/dev/tty", "by name\\n"); console.log(fs.readdirSync("/dev/pts").sort().join())`;
    const box = await boxes.host.start(boxes.node(script, { terminal: true }));
    expect(await text(box.terminal!.output)).toBe("true,true,true\r\n/dev/pts/0 true\r\nby name\r\n0,ptmx\r\n");
    expect(await text(box.stdout)).toBe("");
    expect(await box.ended).toEqual({ kind: "exit", code: 0 });
    await box.remove();
  });

  it("reads what is typed, sees its size change, and is interrupted by Ctrl-C", async () => {
    const script = `process.stdout.on("resize", () => console.log(process.stdout.rows, process.stdout.columns));
      process.stdin.on("data", (line) => console.log("read " + String(line).trim())); console.log("up")`;
    const box = await boxes.host.start(boxes.node(script, { terminal: true }));
    const terminal = box.terminal!;
    let shown = "";
    const seen = async (what: string) => {
      for (let tries = 0; !shown.includes(what) && tries < 500; tries += 1) await new Promise((r) => setTimeout(r, 10));
      expect(shown).toContain(what);
    };
    terminal.output.on("data", (chunk) => (shown += chunk));
    await seen("up\r\n");
    terminal.resize({ rows: 33, columns: 300 });
    await seen("33 300\r\n");
    await terminal.type(Buffer.from("words\n"));
    await seen("words\r\nread words\r\n");
    await terminal.type(Buffer.from("\x03"));
    expect(await box.ended).toEqual({ kind: "signal", signal: 2 });
    await terminal.type(Buffer.from("to nobody"));
    await box.remove();
  });

  it("shows all that was written before its program ended, and takes more than a terminal holds", async () => {
    const lines = 100_000;
    const script = `let all = ""; for (let i = 0; i < ${lines}; i += 1) all += i + "\\n"; 
      process.stdin.setRawMode(true); fs.writeSync(1, all.slice(0, 10)); let n = 0; process.stdin.on("data", (d) => { n += d.length; if (n < 300000) return;
      for (let at = 10; at < all.length; ) at += fs.writeSync(1, all.slice(at, at + 65536)); process.exit(3) })`;
    const box = await boxes.host.start(boxes.node(script, { terminal: true }));
    const output = text(box.terminal!.output);
    await new Promise((resolve) => box.terminal!.output.once("data", resolve));
    await box.terminal!.type(Buffer.alloc(300_000, "x"));
    const shown = await output;
    expect(await box.ended).toEqual({ kind: "exit", code: 3 });
    expect(shown.endsWith(`\n${lines - 1}\r\n`) || shown.endsWith(`\n${lines - 1}\n`)).toBe(true);
    await box.remove();
  });
});
