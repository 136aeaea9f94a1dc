import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BoxMount } from "@mayfly/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BoxSpec } from "./spec.ts";
import { TestBoxes } from "./testing/boxes.ts";

let boxes: TestBoxes;
beforeAll(async () => {
  boxes = await TestBoxes.open();
});
afterAll(() => boxes?.close());

const ROOT: Partial<BoxSpec> = { user: { uid: 0, gid: 0, groups: [] }, profile: "build" };
const MIB = 1024 * 1024;

/** What a script prints in a box with these mounts; what it throws is its code. */
async function javascript(script: string, mounts: readonly BoxMount[], changes: Partial<BoxSpec> = ROOT) {
  const spec = boxes.node(`try { ${script} } catch (error) { console.log(error.code ?? error) }`, changes);
  const { ending, stdout, stderr } = await boxes.run({ ...spec, mounts: [...spec.mounts, ...mounts] });
  expect([ending, stderr]).toEqual([{ kind: "exit", code: 0 }, ""]);
  return stdout.trim();
}

function folder(name: string, files: Record<string, string> = {}): string {
  const path = join(boxes.dir, name);
  mkdirSync(path, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}

/** Owner and mode of a file, as a script asks. */
const OWNER = "const owner = (f) => { const s = fs.statSync(f); return [s.uid, s.gid, (s.mode & 0o7777).toString(8)] }";

describe("a mount of a host folder", () => {
  it("is read-only unless it is asked for otherwise", async () => {
    const source = folder("shared", { file: "shown" });
    chmodSync(join(source, "file"), 0o666);
    const bind = { kind: "bind", source, target: "/app", make: false, ids: "host" } as const;
    const write = `fs.writeFileSync("/app/file", "changed"); console.log("written")`;
    expect(await javascript(write, [{ ...bind, readonly: true }])).toBe("EROFS");
    expect(readFileSync(join(source, "file"), "utf8")).toBe("shown");
    expect(await javascript(write, [{ ...bind, readonly: false }])).toBe("written");
    expect(readFileSync(join(source, "file"), "utf8")).toBe("changed");
  });

  it("keeps owners by the box's own numbers, whichever box it is in; set-user-id bits and devices mean nothing there", async () => {
    const source = folder("kept");
    const mounts = [{ kind: "bind", source, target: "/app", make: false, ids: "box", readonly: false }] as const;
    const write = `fs.writeFileSync("/app/a", ""); fs.chownSync("/app/a", 7, 8); fs.chmodSync("/app/a", 0o4755); console.log("ok")`;
    expect(await javascript(write, mounts)).toBe("ok");
    const { uid, gid } = statSync(join(source, "a"));
    expect([uid, gid]).toEqual([7, 8]);
    const other = await boxes.host.start(boxes.probe("spin")); // The next box has other numbers on the host.
    const read = `${OWNER}; console.log(owner("/app/a").join(), /nosuid.*nodev/.test(fs.readFileSync("/proc/self/mountinfo", "utf8").split("\\n").find((l) => l.includes(" /app "))))`;
    expect(await javascript(read, mounts)).toBe("7,8,4755 true");
    other.kill({ kind: "timeout" });
    await other.ended;
    await other.remove();
  });
});

describe("the target of a mount", () => {
  it("is made where it is missing when that is asked for, the box's root's, also in a mount that is there already", async () => {
    const source = folder("outer");
    const outer = { kind: "bind", source, target: "/new/outer", make: true, ids: "box", readonly: false } as const;
    const tmpfs = { kind: "tmpfs", target: "/new/outer/a/b", make: true, mode: 0o755, size_bytes: MIB } as const;
    const token = join(folder("made", { token: "x" }), "token");
    const file = { kind: "file", source: token, target: "/new/file", make: true, mode: 0o444, uid: 0, gid: 0 } as const;
    const read = `${OWNER}; console.log(["/new", "/new/outer/a"].map(owner).join(" "), fs.readdirSync("/new").join())`;
    expect(await javascript(read, [outer, tmpfs, file])).toBe("0,0,755 0,0,755 file,outer");
    expect(statSync(join(source, "a", "b")).uid).toBe(0);
  });

  it("is never reached through a link, also when it is to be made", async () => {
    const source = folder("with-link");
    symlinkSync("/app", join(source, "way"));
    const outer = { kind: "bind", source, target: "/tmp", make: false, ids: "box", readonly: false } as const;
    const inner = { kind: "tmpfs", target: "/tmp/way/x", make: true, mode: 0o755, size_bytes: MIB } as const;
    const { ending } = await boxes.run(boxes.probe("exit 0", { mounts: [outer, inner] }));
    expect(ending).toMatchObject({ kind: "refused", step: "make mount's target", errno: "ELOOP" });
  });
});

describe("a mount of layers", () => {
  const stack = () => [folder("top", { a: "above" }), folder("bottom", { a: "below", b: "under" })];
  const mount = (upper: string | null, readonly: boolean): BoxMount => ({
    ...{ kind: "layers", rootfs: { lower: stack() }, source: "/", target: "/app", make: false, upper, readonly },
  });
  const upper = (name: string) => {
    for (const part of ["u", "w"]) folder(join(name, part));
    return join(boxes.dir, name);
  };

  it("shows them over each other, from the place in them that is asked for, and cannot be written to", async () => {
    const read = `console.log(fs.readFileSync("/app/a", "utf8"), fs.readFileSync("/app/b", "utf8")); fs.writeFileSync("/app/a", "")`;
    expect(await javascript(read, [mount(null, true)])).toBe("above under\nEROFS");
    expect(await javascript(read, [mount(upper("unused"), true)])).toBe("above under\nEROFS");
    const one = { ...mount(null, true), source: "/b", target: "/app/hello.txt" } as BoxMount;
    expect(await javascript(`console.log(fs.readFileSync("/app/hello.txt", "utf8"))`, [one])).toBe("under");
  });

  it("may be of none", async () => {
    const none = { ...mount(null, true), rootfs: { lower: [] } };
    expect(await javascript(`console.log(fs.readdirSync("/app").length); fs.mkdirSync("/app/a")`, [none])).toBe(
      "0\nEROFS",
    );
  });

  it("keeps what is written in a folder, for the next box, by the box's own numbers; the layers stay", async () => {
    const kept = upper("cache");
    const write = `fs.writeFileSync("/app/a", "mine"); fs.rmSync("/app/b"); fs.mkdirSync("/app/c"); fs.chownSync("/app/c", 7, 8); console.log("ok")`;
    expect(await javascript(write, [mount(kept, false)])).toBe("ok");
    const other = await boxes.host.start(boxes.probe("spin"));
    const read = `${OWNER}; console.log(fs.readFileSync("/app/a", "utf8"), fs.readdirSync("/app").join(), owner("/app/a").slice(0, 2).join(), owner("/app/c").join())`;
    expect(await javascript(read, [mount(kept, false)])).toBe("mine a,c 0,0 7,8,755");
    other.kill({ kind: "timeout" });
    await other.ended;
    await other.remove();
    expect(statSync(join(kept, "u", "c")).uid).toBe(7);
    expect(readFileSync(join(boxes.dir, "top", "a"), "utf8")).toBe("above");
  });

  it("follows no link in them", async () => {
    const top = folder("linked");
    symlinkSync("/", join(top, "out"));
    const spec = boxes.probe("exit 0", {
      mounts: [
        {
          kind: "layers",
          rootfs: { lower: [top] },
          source: "/out",
          target: "/app",
          make: false,
          upper: null,
          readonly: true,
        },
      ],
    });
    expect((await boxes.run(spec)).ending).toMatchObject({ kind: "refused", errno: "ELOOP" });
  });
});

describe("a mount of memory", () => {
  it("is the box's root's, of the mode and no larger than is asked for, also in place of /dev/shm", async () => {
    const write = `${OWNER}; console.log(owner("/app").join(), owner("/dev/shm").join()); fs.writeFileSync("/app/big", Buffer.alloc(${2 * MIB}))`;
    const tmpfs = (target: string, mode: number): BoxMount => ({
      kind: "tmpfs",
      target,
      make: false,
      mode,
      size_bytes: MIB,
    });
    expect(await javascript(write, [tmpfs("/app", 0o1777), tmpfs("/dev/shm", 0o700)])).toBe("0,0,1777 0,0,700\nENOSPC");
  });

  it("can be a file's bytes: owned as is asked for, read-only, and whatever becomes of the file", async () => {
    const source = join(folder("secrets", { token: "hunter2" }), "token");
    const file: BoxMount = {
      kind: "file",
      source,
      target: "/app/hello.txt",
      make: false,
      mode: 0o400,
      uid: 1000,
      gid: 5,
    };
    const read = `${OWNER}; console.log(owner("/app/hello.txt").join(), fs.readFileSync("/app/hello.txt", "utf8")); fs.appendFileSync("/app/hello.txt", "")`;
    expect(await javascript(read, [file])).toBe("1000,5,400 hunter2\nEROFS");
    const other = { user: { uid: 1001, gid: 1001, groups: [] } };
    expect(await javascript(`fs.readFileSync("/app/hello.txt")`, [file], other)).toBe("EACCES");
    expect(readdirSync(join(boxes.dir, "secrets"))).toEqual(["token"]);
  });
});
