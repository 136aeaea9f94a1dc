import { describe, expect, it } from "vitest";
import { type FileNode, FileTree } from "../files/file-tree.ts";
import { hostsMount } from "./hosts.ts";

const ATTRIBUTES = { mode: 0o755, uid: 0, gid: 0, mtime_s: 0, mtime_ns: 0, xattrs: {} };
function tree(types: Record<string, "directory" | "symlink">): FileTree {
  const files = new FileTree();
  for (const [path, type] of Object.entries(types))
    files.put(path, { type, path, ...(type === "symlink" && { target: "x" }), ...ATTRIBUTES } as FileNode);
  return files;
}

describe("/etc/hosts of a RUN", () => {
  it("has localhost, the box and the names that were given, whatever the image has there", () => {
    for (const below of [tree({}), tree({ etc: "directory" }), tree({ etc: "directory", "etc/hosts": "symlink" })]) {
      const [mount, ...more] = hostsMount(["192.0.2.7\tdb"], [{ target: "x" }, { target: null }], below);
      expect(more).toEqual([]);
      expect(mount).toMatchObject({ target: "/etc/hosts", mode: 0o644 });
      expect(Buffer.from((mount as { content: Uint8Array }).content).toString()).toMatch(
        /^127\.0\.0\.1\tlocalhost buildkitsandbox\n::1\tlocalhost .*\n192\.0\.2\.7\tdb\n$/,
      );
    }
  });

  it("is left alone where the RUN mounts its own, and where it cannot be", () => {
    expect(hostsMount([], [{ target: "etc/hosts" }], tree({}))).toEqual([]);
    expect(hostsMount([], [], tree({ etc: "symlink" }))).toEqual([]);
    expect(hostsMount([], [], tree({ etc: "directory", "etc/hosts": "directory" }))).toEqual([]);
  });
});
