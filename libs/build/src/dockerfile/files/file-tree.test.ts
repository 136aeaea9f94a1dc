import { describe, expect, test } from "vitest";
import { FileTree } from "./file-tree.ts";
import type { Listed } from "./listing.ts";

const attributes = { mode: 0o755, uid: 0, gid: 0, mtime_s: 0, mtime_ns: 0, xattrs: {} };
const folder = (path: string): Listed => ({ type: "directory", path, ...attributes });
const none = () => ({ bytes: new Uint8Array() });

function treeOf(...paths: string[]): FileTree {
  const tree = new FileTree();
  tree.lay(paths.map(folder), none);
  return tree;
}

describe("a clone", () => {
  test.each<[string, (tree: FileTree) => void]>([
    ["puts something into a folder", (tree) => tree.lay([folder("a/b/new")], none)],
    ["gives a folder other attributes", (tree) => tree.lay([{ ...folder("a/b"), mode: 0o700 } as Listed], none)],
    ["gives the root other attributes", (tree) => tree.put("", { ...tree.at("")!, mode: 0o700 })],
    ["loses a name", (tree) => tree.lay([{ type: "whiteout", path: "a/b" }], none)],
    ["loses all of a folder", (tree) => tree.lay([{ type: "opaque", path: "a" }], none)],
  ])("that %s leaves the other as it was, whichever of the two it is", (_, change) => {
    const untouched = treeOf("a", "a/b", "a/b/c", "d");
    for (const which of [0, 1]) {
      const tree = treeOf("a", "a/b", "a/b/c", "d");
      const both = [tree, tree.clone()];
      change(both[which]!);
      expect(all(both[1 - which]!)).toEqual(all(untouched));
      expect(all(both[which]!)).not.toEqual(all(untouched));
    }
  });

  test("of a clone may change again and again", () => {
    const first = treeOf("a");
    const second = first.clone();
    second.lay([folder("a/b")], none);
    const third = second.clone();
    second.lay([folder("a/c")], none);
    third.lay([folder("a/d")], none);
    expect([first, second, third].map((tree) => tree.names("a"))).toEqual([[], ["b", "c"], ["b", "d"]]);
    expect([first, second, third].map((tree) => tree.size)).toEqual([1, 3, 3]);
  });
});

function all(tree: FileTree, path = ""): unknown[] {
  return [tree.at(path), ...tree.names(path).map((name) => all(tree, path === "" ? name : `${path}/${name}`))];
}
