import { type ContentSource, type FileNode, FileTree, join, split } from "../files/file-tree.ts";
import { type Listed, pathIn } from "../files/listing.ts";
import type { Ignore } from "../ignore/matcher.ts";
import { DockerfileError } from "../source/failure.ts";
import { changedMode } from "./mode.ts";
import type { Owner } from "./owner.ts";

export interface Placing {
  /** Null: what the source has. */
  readonly owner: Owner | null;
  readonly chmod: string | null;
  readonly exclude: Ignore | null;
  /** `--parents`: what of the source is kept, with the folders that it is in. */
  readonly keep: Ignore | null;
  /** Time of folders that are made on the way, seconds since 1970. */
  readonly now_s: number;
}

const MADE_FOLDER_MODE = 0o755;
const ROOT: Owner = { uid: 0, gid: 0 };

/**
 * Puts files into a tree by Docker's rules (fsutil/copy), and remembers what it put: that is the layer. The tree is changed as it goes, so
 * that a later source sees what an earlier one has put.
 */
export class Placer {
  readonly #tree: FileTree;
  readonly #placing: Placing;
  readonly #put = new Set<string>();

  constructor(tree: FileTree, placing: Placing) {
    this.#tree = tree;
    this.#placing = placing;
  }

  /** Paths that were put and are still there, the folders that they are in included. */
  get paths(): string[] {
    return [...this.#put].filter((path) => this.#tree.at(path));
  }

  /**
   * Copies `source` of another tree to `destination`, a folder when it ends with a slash. Of a folder the contents are copied.
   * @throws DockerfileError
   */
  copy(from: FileTree, source: string, destination: string): void {
    const path = from.resolve(source);
    const node = from.at(path);
    if (!node) throw new DockerfileError(`"/${source}": not found`);
    const wanted = destination.replace(/^\/+|\/+$/g, "");
    if (destination.endsWith("/")) this.makeFolder(wanted);
    else this.makeFolder(split(wanted)[0]);
    let target = this.#tree.resolve(wanted);
    const there = this.#tree.at(target);
    if (node.type !== "directory" && there?.type === "directory") target = join(target, split(source)[1]);
    if (!there) this.makeFolder(node.type === "directory" ? target : split(target)[0]);
    this.#copy(from, path, "", target, false);
  }

  /**
   * Lays an archive's entries over a folder, by their own owners and modes; names in it that go through links lead to where they lead
   * when that folder is the root, as Docker unpacks it. @throws DockerfileError
   */
  unpack(list: readonly Listed[], archive: ContentSource, destination: string): void {
    const folder = destination.replace(/^\/+|\/+$/g, "");
    this.makeFolder(folder);
    const root = this.#tree.resolve(folder);
    const under = (path: string) => {
      const [parent, name] = split(path);
      this.#requireNoDeadLink(parent, root);
      const place = this.#tree.resolve(parent, "follow", root);
      this.makeFolder(place, ROOT);
      return name === "" ? place : join(place, name);
    };
    const names = new Map<FileNode, string[]>();
    for (const entry of list) {
      if (entry.type === "whiteout" || entry.type === "opaque") {
        throw new DockerfileError(
          `the archive holds "${entry.path}", and names that begin with .wh. mean something else in layers`,
        );
      }
      if (entry.path === "") continue; // What is there already keeps its attributes.
      const path = under(pathIn(entry.path));
      if (entry.type === "hard_link") {
        const target = under(entry.target);
        // What is at the path goes first.
        const file = target === path ? undefined : this.#tree.at(target);
        if (!file || file.type === "directory") {
          const why = file ? "is a folder" : "is not there";
          throw new DockerfileError(`the archive links "${entry.path}" to "${entry.target}", which ${why}`);
        }
        const { mode, uid, gid, mtime_s, mtime_ns } = entry;
        const owned = { ...file, uid, gid };
        const linked = file.type === "symlink" ? owned : { ...owned, mode, mtime_s, mtime_ns };
        names.set(linked, [...(names.get(file) ?? [target]), path]);
        for (const name of names.get(linked)!) this.#set(name, linked);
        continue;
      }
      const source = { archive, path: entry.path };
      // Engines set no time before 1970 on what they unpack.
      const mtime_s = Math.max(0, entry.mtime_s);
      const node = { ...entry, path, mtime_s, ...(entry.type === "file" && { source }) };
      names.set(node, [path]);
      this.#set(path, node);
    }
  }

  /** Folders are made where there are none, but not where a link leads to none. @throws DockerfileError */
  #requireNoDeadLink(parent: string, root: string): void {
    let path = "";
    for (const name of parent.split("/").filter((part) => part !== "")) {
      path = join(path, name);
      const link = this.#tree.at(this.#tree.resolve(path, "keep", root));
      if (link?.type === "symlink" && !this.#tree.at(this.#tree.resolve(path, "follow", root)))
        throw new DockerfileError(`the archive goes through "/${path}", a link to what is not there`);
    }
  }

  /** Puts a file that comes from nowhere. @throws DockerfileError */
  putFile(name: string, node: FileNode, destination: string): void {
    const lone = new FileTree();
    lone.put(name, node);
    this.copy(lone, name, destination);
  }

  /** Makes a folder and those that it is in, as far as they are not there. @throws DockerfileError when something else is there */
  makeFolder(path: string, { uid, gid } = this.#placing.owner ?? ROOT): void {
    const resolved = this.#tree.resolve(path);
    const parts = resolved === "" ? [] : resolved.split("/");
    for (const [at] of parts.entries()) {
      const folder = parts.slice(0, at + 1).join("/");
      const there = this.#tree.at(folder);
      if (there && there.type !== "directory")
        throw new DockerfileError(`cannot make the folder "/${resolved}": "/${folder}" is no folder`);
      if (there) continue;
      const attributes = { mode: MADE_FOLDER_MODE, uid, gid, mtime_s: this.#placing.now_s, mtime_ns: 0, xattrs: {} };
      this.#set(folder, { type: "directory", path: folder, ...attributes });
    }
  }

  /** `shown`: the path from the source on, which is what patterns are for. `overwrite`: a folder that is there takes over attributes. */
  #copy(from: FileTree, path: string, shown: string, target: string, overwrite: boolean): void {
    const node = from.at(path)!;
    const { exclude, keep } = this.#placing;
    const included = shown === "" || !(exclude?.ignores(shown) ?? false);
    const kept = included && (keep === null || (shown !== "" && keep.ignores(shown)));
    if (node.type !== "directory") {
      if (kept) this.#putFile(from, path, shown, target, node);
      return;
    }
    const there = this.#tree.at(target);
    if (kept) {
      if (there && there.type !== "directory") throw new DockerfileError(`cannot copy to non-directory: /${target}`);
      if (keep !== null) this.#keepParents(from, path, shown, target);
      if (!there || overwrite) this.#set(target, this.#changed(node, target));
    }
    for (const name of from.names(path))
      this.#copy(from, join(path, name), join(shown, name), join(target, name), true);
  }

  #putFile(from: FileTree, path: string, shown: string, target: string, node: FileNode): void {
    if (this.#tree.at(target)?.type === "directory") {
      throw new DockerfileError(`cannot replace to directory /${target} with file`);
    }
    if (this.#placing.keep !== null) this.#keepParents(from, path, shown, target);
    this.#set(target, this.#changed(node, target));
  }

  /** The folders that something kept is in come along with their attributes. */
  #keepParents(from: FileTree, path: string, shown: string, target: string): void {
    const depth = shown.split("/").length - 1;
    for (let up = depth; up > 0; up--) {
      const parent = path.split("/").slice(0, -up).join("/");
      const place = target.split("/").slice(0, -up).join("/");
      if (!this.#tree.at(place)) this.#set(place, this.#changed(from.at(parent)!, place));
    }
  }

  /** Names of one file stay names of one file: equal nodes give equal values here. */
  readonly #changes = new Map<FileNode, FileNode>();

  #changed(node: FileNode, path: string): FileNode {
    const known = this.#changes.get(node);
    if (known && node.type === "file") return known;
    const { owner, chmod } = this.#placing;
    const isLink = node.type === "symlink";
    const mode = chmod === null || isLink ? node.mode : changedMode(chmod, node.mode, node.type === "directory");
    const changed = { ...node, path, mode, ...owner };
    this.#changes.set(node, changed);
    return changed;
  }

  #set(path: string, node: FileNode): void {
    this.#tree.put(path, node);
    this.#put.add(path);
  }

  /** Names are shared within one source only: two sources are two copies. */
  nextSource(): void {
    this.#changes.clear();
  }
}
