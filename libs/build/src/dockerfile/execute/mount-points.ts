import { createHash } from "node:crypto";
import type { Digest, RootFs } from "@mayfly/contract";
import { entriesOf, placedIn } from "../copy/layer.ts";
import { type FileNode, type FileTree, split } from "../files/file-tree.ts";
import { DockerfileError } from "../source/failure.ts";
import type { FoundMount } from "./run-mounts.ts";
import type { StepParts } from "./step.ts";

/** What a box mounts by itself, and what every RUN has mounted, wherever it is not there. */
const ALWAYS = [
  { target: "proc", isFolder: true },
  { target: "dev", isFolder: true },
  { target: "etc/resolv.conf", isFolder: false },
  { target: "etc/hosts", isFolder: false },
] as const;

const ATTRIBUTES = { uid: 0, gid: 0, mtime_s: 0, mtime_ns: 0, xattrs: {} } as const;
const NOTHING = { size_bytes: 0, digest: `sha256:${createHash("sha256").digest("hex")}` as Digest };

/**
 * An image's files with what mounts need to go over where it is missing. They are in a layer of their own below what the program writes, so
 * none of them is in the layer that is made of it, as BuildKit takes them away again. It is a layer over nothing: the same one lies over
 * every image that lacks the same, and is unpacked once. @throws DockerfileError where one cannot be
 */
export async function withMountPoints(
  image: Digest,
  mounts: readonly FoundMount[],
  below: FileTree,
  { store, contents }: Pick<StepParts, "store" | "contents">,
): Promise<RootFs> {
  const { lower } = await store.rootfs(image);
  const { tree, points } = mountPoints(mounts, below);
  if (points.length === 0) return { lower };
  const layer = await store.addLayer(entriesOf(placedIn(tree, points), contents), { compression: "none" });
  const above = await store.createImage({
    base: null,
    layers: [layer],
    config: {},
    history: [{}],
    created: new Date(0),
  });
  return { lower: [...(await store.rootfs(above)).lower, ...lower] };
}

/** @returns a tree in which they all are, and those that were missing */
export function mountPoints(
  mounts: readonly FoundMount[],
  below: FileTree,
): { readonly tree: FileTree; readonly points: string[] } {
  const tree = below.clone();
  const points: string[] = [];
  const add = (path: string, isFolder: boolean) => {
    const node: FileNode = isFolder
      ? { type: "directory", path, mode: 0o755, ...ATTRIBUTES }
      : { type: "file", path, mode: 0o644, ...ATTRIBUTES, ...NOTHING, source: { bytes: new Uint8Array(0) } };
    const [folder] = split(path);
    if (folder !== "" && !tree.at(folder)) add(folder, true);
    tree.put(path, node);
    points.push(path);
  };
  for (const { target, isFolder } of ALWAYS) {
    const there = tree.at(target);
    const [folder] = split(target);
    // A link would be followed by nobody: the box's own file is there instead, as long as the program runs.
    const missing = !there || (!isFolder && there.type === "symlink");
    if (missing && (folder === "" || (tree.at(folder)?.type ?? "directory") === "directory")) add(target, isFolder);
  }
  const covered = ["dev"];
  for (const { target, isFolder } of mounts) {
    if (target === null) continue;
    const isCovered = covered.some((folder) => target.startsWith(`${folder}/`));
    covered.push(target);
    if (isCovered) continue; // What it lies in is not of the image; there it is made.
    const there = tree.at(target);
    if (there && (there.type === "directory") !== isFolder)
      throw new DockerfileError(`a ${isFolder ? "folder" : "file"} cannot be mounted at "/${target}", which is none`);
    if (!there) requireFolders(target, tree);
    if (!there) add(target, isFolder);
  }
  return { tree, points };
}

function requireFolders(target: string, tree: FileTree): void {
  for (let [folder] = split(target); folder !== ""; [folder] = split(folder)) {
    const type = tree.at(folder)?.type;
    if (type !== undefined && type !== "directory")
      throw new DockerfileError(`nothing can be mounted at "/${target}": "/${folder}" is no folder`);
  }
}
