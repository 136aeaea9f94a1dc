import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@mayfly/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import { diffEntries } from "../layer/diff.ts";
import type { FileEntry } from "../layer/entry.ts";
import { LAYER_LIMITS } from "../layer/limits.ts";
import { archive, dir, file, hardLink, member } from "../testing/archive.ts";
import { TestRoot } from "../testing/box.ts";
import { LISTING, listingFrom } from "../testing/listing.ts";
import { builtLayerTree } from "../testing/native.ts";
import { inMerged, TestStore } from "../testing/store.ts";
import { WITH_ATTRIBUTES } from "../testing/temporary.ts";
import { LayerTree } from "../tree/layer-tree.ts";

const BASE = [
  archive(
    member("5", "./", "", { mode: 0o755 }),
    dir("etc"),
    file("etc/a", "a"),
    file("etc/b", "b"),
    dir("etc/d"),
    file("etc/d/x", "x"),
    dir("opt", 0o750),
    file("opt/tool", "tool", { mode: 0o755 }),
    hardLink("opt/tool2", "opt/tool"),
  ),
  archive(dir("etc"), file("etc/c", "c"), file("etc/.wh.b"), dir("var"), dir("var/lib"), file("var/lib/f", "f")),
];

/** A store with an image, and a box of it whose writable layer stays. */
async function box() {
  const test = await TestStore.forTest({ where: WITH_ATTRIBUTES });
  const image = await test.image(...BASE);
  const { lower } = await test.store.rootfs(image);
  return { test, store: test.store, image, lower, root: rootIn(test, "box", lower) };
}

function rootIn(test: TestStore, name: string, lower: readonly string[]): TestRoot {
  const dir = join(test.dir, "..", name);
  mkdirSync(dir);
  return new TestRoot(dir, lower);
}

/** Each writable layer has a root of its own, with a time of its own. */
const withoutRootTime = (listing: string) => listing.replace(/^(\|d\|.*\|).*\|$/m, "$1");

const CREATED = new Date("2026-01-02T03:04:05Z");
const commitOf = (image: Digest, upper: string, id_base = 0) => ({
  image,
  writable: { upper, id_base },
  created: CREATED,
});

async function entries(upper: string, lower: readonly string[], id_base = 0) {
  const found = await Array.fromAsync(
    diffEntries({ upper, id_base }, lower, new LayerTree(builtLayerTree()), LAYER_LIMITS),
  );
  return found.map(({ type, path }) => `${type} ${path}`);
}

const CHANGES = `
  echo new > etc/new; echo more >> etc/a; rm etc/c; rm -r etc/d; mkdir etc/d; echo y > etc/d/y
  chmod 4711 opt/tool; ln opt/tool opt/third; ln -s /nowhere opt/dangling
  mkdir -p "deep/er and
deeper"; printf '\\351' > "deep/$(printf 'caf\\351')"; mknod null c 1 3; mkfifo fifo; touch -h -d 2001-01-01T00:00:00.5Z fifo
  chown 3000000:7 etc/new; setfattr -n user.x -v y etc/new; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 opt/tool2
  rm -r var/lib; echo now a file > var/lib; truncate -s 1M sparse; chmod 1777 var; touch -d 1999-01-01 etc`;

describe("the diff of a box", () => {
  it("that changed nothing is nothing", async () => {
    const { lower, root } = await box();
    root.run("cat etc/a > /dev/null; find . > /dev/null; stat opt/tool > /dev/null");
    expect(await entries(root.upper, lower)).toEqual([]);
  });

  it("that changed something is that, and the folders that it lies in", async () => {
    const { lower, root } = await box();
    root.run("echo 1 > etc/new; rm etc/a; mkdir -p new/sub; rm -r opt; mkdir opt; echo 2 > opt/y");
    expect(await entries(root.upper, lower)).toEqual([
      "directory etc",
      "whiteout etc/a",
      "file etc/new",
      "directory new",
      "directory new/sub",
      "directory opt",
      "opaque opt",
      "file opt/y",
    ]);
  });

  it("tells of the root only when its owner or mode changed", async () => {
    const { lower, root } = await box();
    root.run("touch x; rm x");
    expect(await entries(root.upper, lower)).toEqual([]);
    root.run("chmod 1777 .");
    expect(await entries(root.upper, lower)).toEqual(["directory "]);
  });

  it("has the box's ids: owners, capabilities, ACLs", async () => {
    const { lower, root } = await box();
    const base = 200_000;
    const acl = (id: number) => {
      const bytes = Buffer.from(
        `02000000${"01000600ffffffff"}${"0200060000000000"}${"04000400ffffffff"}${"10000600ffffffff"}${"20000400ffffffff"}`,
        "hex",
      );
      bytes.writeUInt32LE(id, 4 + 8 + 4);
      return `0x${bytes.toString("hex")}`;
    };
    const v3 = Buffer.alloc(24);
    v3.writeUInt32LE(0x03000001, 0);
    v3.writeUInt32LE(0x2000, 4);
    v3.writeUInt32LE(base, 20);
    root.run(`echo 1 > f; chown ${base + 5}:${base + 65535} f; setfattr -n security.capability -v 0x${v3.toString("hex")} f
      setfattr -n system.posix_acl_access -v ${acl(base + 9)} f; chown -h ${base}:${base} .`);
    const found = await Array.fromAsync(
      diffEntries({ upper: root.upper, id_base: base }, lower, new LayerTree(builtLayerTree()), LAYER_LIMITS),
    );
    expect(found).toMatchObject([{ path: "f", uid: 5, gid: 65_535 }]);
    const xattrs = new Map(
      [...(found[0] as FileEntry).xattrs!].map(([name, value]) => [name, `0x${Buffer.from(value).toString("hex")}`]),
    );
    expect(xattrs.get("security.capability")).toBe("0x0100000200200000000000000000000000000000");
    expect(xattrs.get("system.posix_acl_access")).toBe(acl(9));
    root.run(`chown ${base + 65536} f`);
    await expect(entries(root.upper, lower, base)).rejects.toThrow(
      /"f" is refused: its owner 265536 is none of the box's/,
    );
  });

  it("leaves out sockets, and what belongs to the kernel and the host", async () => {
    const { lower, root } = await box();
    root.run(`setfattr -n trusted.mine -v 1 etc/a; setfattr -n security.selinux -v label etc/a
      node -e 'require("net").createServer().listen("sock", () => process.exit())' 2> /dev/null; touch z`);
    const found = await Array.fromAsync(
      diffEntries({ upper: root.upper, id_base: 0 }, lower, new LayerTree(builtLayerTree()), LAYER_LIMITS),
    );
    expect(found.map(({ path }) => path)).toEqual(["etc", "etc/a", "z"]);
    expect(found.map((entry) => "xattrs" in entry)).toEqual([false, false, false]);
  });

  it("is read out of another mount namespace, through a process that has it open", async () => {
    const { lower, root } = await box();
    const script = `mount -t tmpfs -o mode=755 tmpfs "$1"; echo 1 > "$1/foreign"; mkdir "$1/etc"; exec 9< "$1"; echo ready; read line`;
    const holder = spawn("unshare", ["-m", "sh", "-ec", script, "sh", root.upper]);
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    expect(await entries(`/proc/${holder.pid}/fd/9`, lower)).toEqual(["directory etc", "file foreign"]);
    expect(await entries(root.upper, lower)).toEqual([]);
  });
});

describe("a commit", () => {
  it("shows what the box showed, to the last attribute, and extends history and root file system", async () => {
    const { store, image, root } = await box();
    const seen = listingFrom(root.run(`${CHANGES}\n${LISTING}`));
    const committed = await store.commit({
      ...commitOf(image, root.upper),
      changes: ['CMD ["/opt/tool"]', "ENV A=1", "LABEL l=2"],
      created_by: "sh -c make",
      author: "somebody",
      message: "why",
    });
    const { lower } = await store.rootfs(committed);
    expect(withoutRootTime(listingFrom(inMerged(lower, LISTING)))).toBe(withoutRootTime(seen));
    const [was, is] = [await store.image(image), await store.image(committed)];
    expect(is.manifest.layers.slice(0, 2)).toEqual(was.manifest.layers);
    expect(is.config.rootfs.diff_ids).toHaveLength(3);
    expect(is.config.history).toEqual([
      ...was.config.history,
      { created: "2026-01-02T03:04:05Z", created_by: "sh -c make", author: "somebody", comment: "why" },
    ]);
    expect(is.config).toMatchObject({
      author: "somebody",
      config: { Cmd: ["/opt/tool"], Env: ["A=1"], Labels: { l: "2" } },
    });
  });

  it("is the same from the same changes", async () => {
    const { store, image, root } = await box();
    const writable = { upper: root.upper, id_base: 0 };
    expect(await store.diff(image, writable, { compression: "zstd" })).toBeNull();
    root.run(CHANGES);
    const layer = await store.diff(image, writable, { compression: "zstd" });
    expect(await store.diff(image, writable, { compression: "zstd" })).toEqual(layer);
    const one = await store.commit(commitOf(image, root.upper));
    expect(await store.commit(commitOf(image, root.upper))).toBe(one);
    const copy = join(root.upper, "..", "copy");
    execFileSync("cp", ["-a", root.upper, copy]);
    expect(await store.commit(commitOf(image, copy))).toBe(one);
  });

  it("of a box that changed nothing adds to the history alone", async () => {
    const { store, image, root } = await box();
    const committed = await store.commit({ ...commitOf(image, root.upper), changes: ["USER 1"] });
    const { manifest, config } = await store.image(committed);
    expect(manifest.layers).toEqual((await store.image(image)).manifest.layers);
    expect(config.history.at(-1)).toEqual({ created: "2026-01-02T03:04:05Z", empty_layer: true });
    expect(config.config.User).toBe("1");
  });

  it("with a wrong change, or a writable layer that is not there, makes nothing", async () => {
    const { test, store, image, root } = await box();
    root.run("echo 1 > new");
    const before = await Array.fromAsync(store.blobs.list());
    await expect(store.commit({ ...commitOf(image, root.upper), changes: ["RUN x"] })).rejects.toMatchObject({
      reason: "refused",
    });
    await expect(store.commit(commitOf(image, join(root.upper, "none")))).rejects.toThrow(/opening the tree.*ENOENT/);
    await expect(store.commit(commitOf(image, root.upper, 300_000))).rejects.toMatchObject({ reason: "refused" });
    expect(await Array.fromAsync(store.blobs.list())).toHaveLength(before.length);
    expect(await test.leftovers()).toEqual([]);
  });

  it("on a commit on a commit goes on", async () => {
    const { test, store, image, root } = await box();
    root.run("echo 1 > one; rm etc/a");
    const one = await store.commit(commitOf(image, root.upper));
    const second = rootIn(test, "second", (await store.rootfs(one)).lower);
    second.run("echo 2 > two; echo back > etc/a; rm -r etc/d");
    const two = await store.commit(commitOf(one, second.upper));
    expect(inMerged((await store.rootfs(two)).lower, "cat one two etc/a; ls etc | tr '\\n' ' '")).toBe(
      "1\n2\nback\na c ",
    );
    expect((await store.fsck()).problems).toEqual([]);
  });
});
