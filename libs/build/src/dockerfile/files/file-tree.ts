import type { Digest } from "@mayfly/contract";
import { DockerfileError } from "../source/failure.ts";
import { type Listed, type ListedFile, pathIn } from "./listing.ts";
import type { SpooledFiles } from "./spooled.ts";

/** Where the bytes of a file are: an entry of a layer, of an archive that is one, a place among spooled files, or here. */
export type ContentSource =
  | { readonly layer: Digest; readonly path: string }
  | { readonly archive: ContentSource; readonly path: string }
  | { readonly spooled: SpooledFiles; readonly at: number; readonly size_bytes: number }
  | { readonly bytes: Uint8Array };

/** What a name stands for. Two names of one file share the value. */
export type FileNode = ListedFile & {
  /** Of files. */
  readonly source?: ContentSource;
};

/** Only the tree that made it may change it: trees share what they have in common. */
interface Branch {
  readonly owner: symbol;
  node: FileNode;
  readonly children: Map<string, Branch>;
}

/** The kernel's limit of links in one walk (path_resolution(7)). */
const MOST_LINKS = 40;

const ROOT: FileNode = {
  type: "directory",
  path: "",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime_s: 0,
  mtime_ns: 0,
  xattrs: {},
};

/**
 * A root file system as its layers make it, names and attributes only. Paths are relative to the root, as those of layer entries; links
 * lead to where they lead inside, never out.
 */
export class FileTree {
  #owner = Symbol();
  #root: Branch = { owner: this.#owner, node: ROOT, children: new Map() };

  /** Takes the time of one folder: the two share their branches until one of them changes. */
  clone(): FileTree {
    const copy = new FileTree();
    copy.#root = this.#root;
    this.#owner = Symbol();
    return copy;
  }

  /** How many names there are. */
  get size(): number {
    const sizeOf = ({ children }: Branch): number =>
      [...children.values()].reduce((sum, child) => sum + sizeOf(child), children.size);
    return sizeOf(this.#root);
  }

  /** What is at a path that goes through no link; undefined when nothing is. */
  at(path: string): FileNode | undefined {
    return this.#branch(path)?.node;
  }

  /** Names in a folder, in the order of their bytes. */
  names(path: string): string[] {
    const names = [...(this.#branch(path)?.children.keys() ?? [])];
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  /**
   * Where a path leads: the same place through no link. What is not there is taken as it is written. @param root a folder, through no
   * link, that paths and links begin at and lead out of as little as out of "/" @throws DockerfileError for links that lead in circles
   */
  resolve(path: string, last: "follow" | "keep" = "follow", root = ""): string {
    const todo = partsOf(path);
    const start = partsOf(root).map((name, at, parts) => ({
      name,
      branch: this.#branch(parts.slice(0, at + 1).join("/")),
    }));
    let done = [...start];
    for (let links = 0; todo.length > 0; ) {
      const name = todo.shift()!;
      if (name === "..") {
        if (done.length > start.length) done.pop();
        continue;
      }
      const folder = done.length === 0 ? this.#root : done.at(-1)!.branch;
      const branch = folder?.children.get(name);
      if (branch?.node.type !== "symlink" || (todo.length === 0 && last === "keep")) {
        done.push({ name, branch });
        continue;
      }
      if (++links > MOST_LINKS) throw new DockerfileError(`"/${path}": too many links`);
      if (branch.node.target.startsWith("/")) done = [...start];
      todo.unshift(...partsOf(branch.node.target));
    }
    return done.map(({ name }) => name).join("/");
  }

  /** Puts something at a path that goes through no link; its folder is there. What was there goes, unless both are folders. */
  put(path: string, node: FileNode): void {
    if (path === "") {
      this.#own("").node = node;
      return;
    }
    const [folder, name] = split(path);
    const parent = this.#own(folder);
    const there = parent.children.get(name);
    const isSameFolder = there?.node.type === "directory" && node.type === "directory";
    parent.children.set(name, { owner: this.#owner, node, children: new Map(isSameFolder ? there.children : []) });
  }

  /** Lays a layer over what is here: whiteouts first, for they hide only what is below (OCI image spec, layer.md). */
  lay(list: readonly Listed[], sourceOf: (entry: Listed) => ContentSource): void {
    for (const entry of list) {
      if (entry.type === "whiteout") this.#forget(this.resolve(split(entry.path)[0]), split(entry.path)[1]);
      if (entry.type === "opaque") this.#forget(this.resolve(entry.path));
    }
    for (const entry of list) {
      if (entry.type === "whiteout" || entry.type === "opaque" || entry.type === "hard_link") continue;
      const path = pathIn(entry.path);
      this.put(this.#place(path), entry.type === "file" ? { ...entry, path, source: sourceOf(entry) } : entry);
    }
    // In a tar as it was packed, a link may come before what sorts after it.
    for (const entry of list) {
      const target = entry.type === "hard_link" ? this.at(this.#place(entry.target)) : undefined;
      if (target) this.put(this.#place(entry.path), target);
    }
  }

  /** The path through no link, its folders made when they are only implied. */
  #place(path: string): string {
    if (path === "") return "";
    const [folder, name] = split(path);
    const parent = this.resolve(folder);
    const parts = parent.split("/").filter((part) => part !== "");
    for (const [at] of parts.entries()) {
      const above = parts.slice(0, at + 1).join("/");
      if (this.at(above)?.type !== "directory") this.put(above, { ...ROOT, path: above });
    }
    return parent === "" ? name : `${parent}/${name}`;
  }

  /** A name in a folder, or all of them; nothing when there is no such thing. */
  #forget(folder: string, name?: string): void {
    if (!this.#branch(folder)) return;
    const { children } = this.#own(folder);
    if (name === undefined) children.clear();
    else children.delete(name);
  }

  /** What is at a path that is there, for this tree alone to change. */
  #own(path: string): Branch {
    this.#root = this.#owned(this.#root);
    let branch = this.#root;
    for (const name of path === "" ? [] : path.split("/")) {
      const child = this.#owned(branch.children.get(name)!);
      branch.children.set(name, child);
      branch = child;
    }
    return branch;
  }

  #owned(branch: Branch): Branch {
    if (branch.owner === this.#owner) return branch;
    return { owner: this.#owner, node: branch.node, children: new Map(branch.children) };
  }

  #branch(path: string): Branch | undefined {
    let branch: Branch | undefined = this.#root;
    if (path === "") return branch;
    for (const name of path.split("/")) branch = branch?.children.get(name);
    return branch;
  }
}

/** Of the entries of a layer in the store. */
export const inLayer =
  (layer: Digest) =>
  ({ path }: Listed): ContentSource => ({ layer, path });

const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "" && part !== ".");

/** Folder and name of a path. */
export function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}

export const join = (folder: string, name: string): string => (folder === "" ? name : `${folder}/${name}`);
