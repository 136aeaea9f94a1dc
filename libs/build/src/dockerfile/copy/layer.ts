import type { LayerEntry } from "@mayfly/image";
import type { Contents, StreamedSource } from "../files/contents.ts";
import { type FileNode, type FileTree, join } from "../files/file-tree.ts";
import type { Listed } from "../files/listing.ts";

/** What a layer has at a path: a file's node, or one more name of a file that stands before it. */
export interface Placed {
  readonly path: string;
  readonly node: FileNode;
  /** The first name of the file, when this is another one. */
  readonly link: string | null;
}

/**
 * The entries of a layer: what was put, and the folders that it is in as they are, so that the layer means the same to whoever unpacks it
 * without what is below. In the order of layers.
 */
export function placedIn(tree: FileTree, put: readonly string[]): Placed[] {
  const paths = new Set(put);
  for (const path of put) {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) paths.add(path.slice(0, at));
  }
  const key = (path: string) => Buffer.from(path.replaceAll("/", "\0"));
  const sorted = [...paths].map((path) => ({ path, key: key(path) })).sort((a, b) => Buffer.compare(a.key, b.key));
  const first = new Map<FileNode, string>();
  return sorted.map(({ path }) => {
    const node = tree.at(path)!;
    const link = node.type === "file" ? (first.get(node) ?? null) : null;
    if (link === null) first.set(node, path);
    return { path, node, link };
  });
}

/** Every path of a tree but its root. */
export function* pathsOf(tree: FileTree, folder = ""): Generator<string> {
  for (const name of tree.names(folder)) {
    const path = join(folder, name);
    yield path;
    yield* pathsOf(tree, path);
  }
}

/** What tells one layer from another: everything but times. */
export const identityOf = ({ path, node, link }: Placed): unknown => {
  if (link !== null) return { path, link };
  const { mtime_s: _, mtime_ns: __, source: ___, path: ____, ...rest } = { source: undefined, ...node };
  return { path, ...rest };
};

/** The entries with their contents, in no order: each layer that holds some is read once. */
export async function* entriesOf(placed: readonly Placed[], contents: Contents): AsyncGenerator<LayerEntry> {
  const wanted = new Wanted();
  for (const one of placed) {
    const { node, link } = one;
    if (node.type !== "file" || link !== null) yield plainEntry(one);
    else if ("path" in node.source!) wanted.add(node.source, one);
    else yield readEntry(one, node.size_bytes, contents);
  }
  for (const [source, files] of wanted.groups()) {
    // A file that goes to several places is read as often: its bytes stream past once.
    for (let round = 0; [...files.values()].some((places) => places.length > round); round++) {
      for await (const entry of contents.entries(source)) {
        const place = entry.type === "file" ? files.get(entry.path)?.[round] : undefined;
        if (place && entry.type === "file") {
          yield { ...entry, ...attributesOf(place), ...("once" in entry ? { once: true as const } : {}) };
        }
      }
    }
  }
}

/** What `entriesOf` makes a layer of, as that layer's list. */
export const listOf = (placed: readonly Placed[]): Listed[] =>
  placed.map(({ path, node: { source: _, ...node }, link }) => {
    if (link === null) return { ...node, path };
    const { mode, uid, gid, mtime_s, mtime_ns, xattrs } = node;
    return { type: "hard_link", path, mode, uid, gid, mtime_s, mtime_ns, xattrs, target: link };
  });

/** Files of streams, by the stream that they are read from. */
class Wanted {
  readonly #groups = new Map<string, { source: StreamedSource; files: Map<string, Placed[]> }>();

  add(source: StreamedSource, placed: Placed): void {
    const name = JSON.stringify("layer" in source ? source.layer : source.archive);
    const group = this.#groups.get(name) ?? { source, files: new Map<string, Placed[]>() };
    group.files.set(source.path, [...(group.files.get(source.path) ?? []), placed]);
    this.#groups.set(name, group);
  }

  groups(): [StreamedSource, Map<string, Placed[]>][] {
    return [...this.#groups.values()].map(({ source, files }) => [source, files]);
  }
}

/** A file that can be read when its turn comes, as often as it is wanted. */
const readEntry = (placed: Placed, size_bytes: number, contents: Contents): LayerEntry => ({
  type: "file",
  ...attributesOf(placed),
  size_bytes,
  content: () => contents.read(placed.node.source!),
});

function attributesOf({ path, node }: Placed) {
  const { mode, uid, gid, mtime_s, mtime_ns, xattrs } = node;
  const names = Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value, "base64")] as const);
  return { path, mode, uid, gid, mtime_s, mtime_ns, ...(names.length > 0 && { xattrs: new Map(names) }) };
}

function plainEntry(placed: Placed): LayerEntry {
  const { node, link } = placed;
  const attributes = attributesOf(placed);
  if (link !== null) return { type: "hard_link", ...attributes, target: link };
  switch (node.type) {
    case "symlink":
      return { type: "symlink", ...attributes, target: node.target };
    case "directory":
    case "fifo":
      return { type: node.type, ...attributes };
    case "char_device":
    case "block_device":
      return { type: node.type, ...attributes, major: node.major, minor: node.minor };
    case "file":
      throw new Error(`a file without a place to read it from: ${placed.path}`);
  }
}
