import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LayerEntry } from "../layer/entry.ts";
import { directory, file, symlink } from "../testing/entries.ts";
import { builtLayerTree } from "../testing/native.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import { encodeEnd, encodeRecord } from "./record.ts";

/** For a machine that does other things too. */
const WAIT = { timeout: 20_000 };

/** CAP_CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SYS_ADMIN, MKNOD, SETFCAP (capabilities(7)). */
const UNPACK_CAPS = [0, 1, 3, 4, 21, 27, 31].reduce((mask, cap) => mask | (1n << BigInt(cap)), 0n);

async function unpacker(): Promise<{ child: ChildProcess; tree: string; dir: string }> {
  const dir = await temporaryDirectory("memory");
  const tree = join(dir, "tree");
  for (const name of ["tree", "lower"]) mkdirSync(join(dir, name));
  writeFileSync(join(dir, "lower", "below"), "below");
  const child = spawn(builtLayerTree(), ["unpack", tree, join(dir, "lower")], { stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, tree, dir };
}

/** Sends records as they are; answers what the program said when it failed. */
async function send(child: ChildProcess, ...bytes: readonly Buffer[]): Promise<string> {
  child.stdin!.on("error", () => {}); // It has refused before it read all.
  child.stdin!.end(Buffer.concat(bytes));
  const said = buffer(child.stderr!);
  await once(child, "exit");
  return (await said).toString().replaceAll("\0", "|");
}

const proc = (child: ChildProcess, name: string) => readFileSync(`/proc/${child.pid}/${name}`, "utf8");

describe("layer-tree", () => {
  it("holds only the powers that it needs, none that it could gain, and only the files of its layers", async () => {
    const { child, tree } = await unpacker();
    child.stdin!.write(encodeRecord(directory("ready")));
    await expect.poll(() => existsSync(join(tree, "ready")), WAIT).toBe(true);
    const status = new Map(
      proc(child, "status")
        .split("\n")
        .map((line) => line.split(":\t") as [string, string]),
    );
    const caps = (set: string) => BigInt(`0x${status.get(set)}`);
    expect(["CapEff", "CapPrm", "CapBnd"].map(caps)).toEqual([UNPACK_CAPS, UNPACK_CAPS, UNPACK_CAPS]);
    expect(["CapInh", "CapAmb"].map(caps)).toEqual([0n, 0n]);
    expect([status.get("NoNewPrivs"), status.get("Seccomp"), status.get("Seccomp_filters")]).toEqual(["1", "2", "1"]);
    const mounts = proc(child, "mountinfo")
      .trim()
      .split("\n")
      .map((line) => line.split(" "));
    const shown = mounts.map((fields) => [fields[4]!, fields[5]!.split(",").slice(0, 4).join()]);
    expect(shown.sort(([a], [b]) => (a! < b! ? -1 : 1))).toEqual([
      ["/", "rw,nosuid,nodev,noexec"],
      ["/l/0", "ro,nosuid,nodev,noexec"],
      ["/tree", "rw,nosuid,nodev,noexec"],
    ]);
    expect(readdirSync(`/proc/${child.pid}/root`)).toEqual(["l", "tree"]);
    const limits = proc(child, "limits");
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
    expect(limits).toMatch(/^Max processes +0 +0 /m);
    expect(limits).toMatch(/^Max address space +1073741824 /m);
    const targets = readdirSync(`/proc/${child.pid}/fd`).length;
    expect(targets).toBeLessThan(8);
  });

  it.each<[string, LayerEntry, string]>([
    ["climbs", file("../evil"), "a path is not plain"],
    ["climbs in the middle", file("a/../../evil"), "a path is not plain"],
    ["begins at the root", file("/evil"), "a path is not plain"],
    ["ends in a slash", file("evil/"), "a path ends in a slash"],
    ["holds a NUL", file("e\0vil"), "a path holds a NUL"],
    ["is too long", file("e".repeat(5000)), "a path is too long"],
    ["links to what climbs", { ...directory("x"), type: "hard_link", target: "../evil" }, "a path is not plain"],
    ["is overlayfs' device", { ...directory("x"), type: "char_device", major: 0, minor: 0 }, "the device 0:0"],
    [
      "has overlayfs' attribute",
      directory("x", { xattrs: new Map([["trusted.overlay.opaque", Buffer.from("y")]]) }),
      "an attribute belongs",
    ],
    [
      "has root's attribute",
      file("x", "", { xattrs: new Map([["trusted.x", Buffer.from("y")]]) }),
      "an attribute belongs",
    ],
    ["makes the root a link", symlink("", "/etc"), "the root can only be a folder"],
    [
      "has more beside it than fits",
      file("x", "", { xattrs: new Map([["user.x", Buffer.alloc(300_000)]]) }),
      "an entry has too much",
    ],
  ])("does not believe whoever feeds it: an entry that %s", async (_, entry, why) => {
    const { child, tree, dir } = await unpacker();
    expect(await send(child, encodeRecord(entry))).toMatch(new RegExp(`^0\\|${why}`));
    expect(readdirSync(dir).sort()).toEqual(["lower", "tree"]);
    expect(readdirSync(tree).filter((name) => name !== "x")).toEqual([]);
  });

  it("ends when what it is told ends in the middle, or makes no sense", async () => {
    for (const bytes of [
      Buffer.alloc(0),
      encodeRecord(file("a", "abc")),
      Buffer.alloc(56, "?"),
      encodeEnd().subarray(0, 10),
    ]) {
      const { child } = await unpacker();
      expect(await send(child, bytes)).toMatch(/^0\|/);
    }
  });

  it("dies with whoever started it", async () => {
    const dir = await temporaryDirectory("memory");
    const script = `"$0" unpack "$1" < "$2" & echo $!; wait`;
    execFileSync("mkfifo", [join(dir, "in")]);
    mkdirSync(join(dir, "tree"));
    const holder = spawn("sh", ["-c", 'sleep 60 > "$0"', join(dir, "in")], { detached: true });
    onTestFinished(() => void process.kill(-holder.pid!, "SIGKILL"));
    const parent = spawn("sh", ["-c", script, builtLayerTree(), join(dir, "tree"), join(dir, "in")]);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    await expect.poll(() => readFileSync(`/proc/${pid}/status`, "utf8"), WAIT).toMatch(/^Seccomp:\t2$/m);
    parent.kill("SIGKILL");
    await expect.poll(() => existsSync(`/proc/${pid}/fd/0`), WAIT).toBe(false);
  });

  it("does not follow a link that stands where the tree should be", async () => {
    const dir = await temporaryDirectory("memory");
    mkdirSync(join(dir, "elsewhere"));
    writeFileSync(join(dir, "elsewhere", "kept"), "x");
    symlinkSync(join(dir, "elsewhere"), join(dir, "tree"));
    const child = spawn(builtLayerTree(), ["remove", join(dir, "tree")]);
    const said = text(child.stderr);
    await once(child, "exit");
    expect(await said).toMatch(/^[1-9]/);
    expect(readdirSync(join(dir, "elsewhere"))).toEqual(["kept"]);
  });
});
