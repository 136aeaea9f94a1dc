import { chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BoxSpec } from "./spec.ts";
import { TestBoxes } from "./testing/boxes.ts";

let boxes: TestBoxes;
beforeAll(async () => {
  boxes = await TestBoxes.open();
  const theirs = join(boxes.layers[0]!, "app", "theirs.txt");
  writeFileSync(theirs, "of the function's user\n");
  chownSync(theirs, 1000, 1000);
});
afterAll(() => boxes?.close());

const ROOT: Partial<BoxSpec> = { user: { uid: 0, gid: 0, groups: [] }, profile: "build" };

async function javascript(script: string, changes: Partial<BoxSpec> = {}): Promise<string> {
  const { ending, stdout, stderr } = await boxes.run(boxes.node(script, changes));
  expect([ending, stderr]).toEqual([{ kind: "exit", code: 0 }, ""]);
  return stdout.trim();
}
const OWNERS = `console.log(["hello.txt", "theirs.txt"].map((f) => fs.statSync("/app/" + f).uid).join(" "))`;

describe("a box's root", () => {
  it("shows its layers, the upper before the lower", async () => {
    const over = join(boxes.dir, "over");
    mkdirSync(join(over, "app"), { recursive: true });
    writeFileSync(join(over, "app", "hello.txt"), "from above\n");
    const read = `console.log(fs.readFileSync("/app/hello.txt", "utf8").trim(), fs.readdirSync("/app").sort().join())`;
    expect(await javascript(read)).toBe("from the layer hello.txt,theirs.txt");
    expect(await javascript(read, { rootfs: { lower: [over, ...boxes.layers] } })).toBe(
      "from above hello.txt,theirs.txt",
    );
  });

  it("tells nothing of the host in what its first process was started with", async () => {
    const read = `console.log(JSON.stringify(fs.readFileSync("/proc/1/cmdline", "latin1").replaceAll("\\0", "")))`;
    expect(await javascript(read)).toBe('""');
  });

  it("has the folders that its image lacks: of an image FROM scratch, and the working folder", async () => {
    const bare = join(boxes.dir, "bare");
    mkdirSync(bare);
    copyFileSync(boxes.native.probe, join(bare, "probe"));
    const scratch = boxes.spec(["/probe", "fill-shm", "1"], { rootfs: { lower: [bare] }, cwd: "/made/here" });
    expect((await boxes.run(scratch)).ending).toEqual({ kind: "exit", code: 0 });
    const made = `const at = fs.statSync("/made"); console.log(process.cwd(), at.uid, (at.mode & 0o777).toString(8))`;
    expect(await javascript(made, { cwd: "/made/here" })).toBe("/made/here 0 755");
  });

  it("shows owners as the image has them, where layers can be mounted with the box's ids", async () => {
    const box = await boxes.host.start(boxes.probe("exit 0"));
    await box.ended;
    await box.remove();
    expect(box.idmap).toBe(true);
    expect(await javascript(OWNERS)).toBe("0 1000");
  });

  it("shows owners as nobody where they cannot, and runs all the same", async () => {
    const { box, ending } = await boxes.run(boxes.probe("exit 0", { test: { idmap: "off" } }));
    expect([box.idmap, ending]).toEqual([false, { kind: "exit", code: 0 }]);
    expect(await javascript(OWNERS, { test: { idmap: "off" } })).toBe("65534 65534");
    const write = `fs.writeFileSync("/tmp/mine", "x"); console.log(fs.statSync("/tmp/mine").uid)`;
    expect(await javascript(write, { test: { idmap: "off" } })).toBe("1000");
  });

  it("takes writes of its root over a layer's file, and the layer stays as it was", async () => {
    const script = `fs.appendFileSync("/app/hello.txt", "more"); fs.chownSync("/app/theirs.txt", 5, 6); fs.rmSync("/etc/passwd");
      console.log(fs.readFileSync("/app/hello.txt", "utf8"), fs.statSync("/app/theirs.txt").uid, fs.existsSync("/etc/passwd"))`;
    expect(await javascript(script, ROOT)).toBe("from the layer\nmore 5 false");
    expect(readFileSync(join(boxes.layers[0]!, "app", "hello.txt"), "utf8")).toBe("from the layer\n");
    expect(await javascript(OWNERS, ROOT)).toBe("0 1000");
  });

  it("is new in every box", async () => {
    const visit = `const seen = ["/tmp/mark", "/dev/shm/mark"].filter((f) => fs.existsSync(f));
      for (const f of ["/tmp/mark", "/dev/shm/mark"]) fs.writeFileSync(f, ""); console.log(seen.length)`;
    for (let round = 0; round < 5; round += 1) expect(await javascript(visit)).toBe("0");
  });

  it("can have as many layers as an image may have", async () => {
    // With the names that a store gives them: together they are far longer than the page that mount(2) takes as options.
    const length = 256 - boxes.layers.length;
    const layers = Array.from({ length }, (_, i) => {
      const dir = join(boxes.dir, `${i}`.padStart(64, "0"));
      mkdirSync(join(dir, "app"), { recursive: true });
      writeFileSync(join(dir, "app", `file-${i}`), "");
      return dir;
    });
    const count = `console.log(fs.readdirSync("/app").filter((f) => f.startsWith("file-")).length)`;
    expect(await javascript(count, { rootfs: { lower: [...layers, ...boxes.layers] } })).toBe(String(length));
  });
});
