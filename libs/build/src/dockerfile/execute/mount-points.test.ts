import { describe, expect, it } from "vitest";
import { type FileNode, FileTree } from "../files/file-tree.ts";
import type { PlannedMount } from "../plan/step.ts";
import { mountPoints } from "./mount-points.ts";
import { findMounts } from "./run-mounts.ts";

const ATTRIBUTES = { mode: 0o755, uid: 0, gid: 0, mtime_s: 0, mtime_ns: 0, xattrs: {} };
const folder = (path: string, changes = {}): FileNode => ({ type: "directory", path, ...ATTRIBUTES, ...changes });
const link = (path: string, target: string): FileNode => ({ type: "symlink", path, target, ...ATTRIBUTES });
const file = (path: string): FileNode => ({ ...folder(path), type: "file", size_bytes: 0, digest: "sha256:" as never });

/** A root with what a box always mounts, and these. */
function root(...nodes: FileNode[]): FileTree {
  const tree = new FileTree();
  for (const node of [
    folder("proc"),
    folder("dev"),
    folder("etc"),
    file("etc/resolv.conf"),
    file("etc/hosts"),
    ...nodes,
  ])
    tree.put(node.path, node);
  return tree;
}

const NONE = {
  ...{
    from: "",
    source: "",
    id: "",
    sharing: null,
    required: false,
    size_bytes: null,
    mode: null,
    uid: null,
    gid: null,
  },
  ...{ env: null, read_only: false, origin: { kind: "scratch" } as const },
} as const;
const tmpfs = (target: string): PlannedMount => ({ ...NONE, type: "tmpfs", target });
const secret = (target: string): PlannedMount => ({ ...NONE, type: "secret", id: "a", target });

async function points(tree: FileTree, ...mounts: PlannedMount[]): Promise<string[]> {
  const secrets = new Map([["a", new Uint8Array(1)]]);
  const parts = { secrets, treeOf: async () => tree };
  return mountPoints(await findMounts(mounts, tree, parts), tree).points;
}

describe("what mounts go over", () => {
  it("is made with its folders, and only where it is missing", async () => {
    expect(await points(root(folder("run")), tmpfs("/run"), secret("/run/secrets/a"))).toEqual([]);
    expect(await points(root(folder("run")), secret("/run/secrets/a"), tmpfs("/a/b"))).toEqual([
      ...["a", "a/b", "run/secrets", "run/secrets/a"],
    ]);
  });

  it("is where links lead, and lies in a mount that comes before it, whatever their order was", async () => {
    const tree = root(folder("run"), link("way", "run"));
    expect(await points(tree, tmpfs("/way/in"))).toEqual(["run/in"]);
    expect(await points(tree, tmpfs("/a/b/c"), tmpfs("/a"))).toEqual(["a"]);
    expect(await points(tree, tmpfs("/dev/shm"))).toEqual([]);
  });

  it("is there for what a box mounts by itself, in place of a link as well", async () => {
    const tree = new FileTree();
    for (const node of [folder("etc"), link("etc/resolv.conf", "/run/x")]) tree.put(node.path, node);
    expect(await points(tree)).toEqual(["proc", "dev", "etc/resolv.conf", "etc/hosts"]);
    expect(await points(new FileTree())).toEqual(["proc", "dev", "etc", "etc/resolv.conf", "etc/hosts"]);
  });

  it.each([
    ["a folder over a file", tmpfs("/x"), 'a folder cannot be mounted at "/x"'],
    ["a file over a folder", secret("/etc"), 'a file cannot be mounted at "/etc"'],
    ["anything below a file", tmpfs("/x/y"), '"/x" is no folder'],
    ["anything in /proc", tmpfs("/proc/sys"), "/proc is the box's own"],
    [
      "a secret that was not given and is required",
      { ...secret("/s"), id: "b", required: true },
      "secret b: not found",
    ],
    ["an agent", { ...secret("/s"), type: "ssh" } as const, "type=ssh is not possible here"],
    ["for an id that no program has", { ...secret("/s"), uid: 65_536 }, "programs have the ids 0 to 65535"],
  ])("is refused: %s", async (_, mount, message) => {
    await expect(points(root(file("x")), mount)).rejects.toThrow(message);
  });
});
