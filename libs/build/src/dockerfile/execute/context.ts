import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join as inFolder } from "node:path";
import type { ImageStore } from "@mayfly/image";
import { placedIn } from "../copy/layer.ts";
import { Contents } from "../files/contents.ts";
import { FileTree, join } from "../files/file-tree.ts";
import type { Listed } from "../files/listing.ts";
import { SpooledFiles } from "../files/spooled.ts";
import { ignoreFilesFor, readIgnoreFile } from "../ignore/file.ts";
import type { Ignore } from "../ignore/matcher.ts";
import { DockerfileError } from "../source/failure.ts";

/** Longer Dockerfiles are none. */
const LARGEST_TEXT_BYTES = 4 * 1024 * 1024;

export interface BuildContext {
  readonly dockerfile: string;
  readonly ignore: Ignore | null;
  /** Without what is left out. */
  readonly tree: FileTree;
  /** Its files can be read until then. */
  close(): Promise<void>;
}

export interface ContextPlace {
  /** Of the Dockerfile, in `folder`. */
  readonly path: string;
  /** The one in the tar that is the context; empty: its root. */
  readonly folder: string;
  readonly store: ImageStore;
  /** A folder for what comes. */
  readonly scratch: string;
}

/**
 * Takes a tar of a context, packed or not, with its Dockerfile in it. Owners and extended attributes are not taken over, as `docker build`
 * does not send them. Nothing is unpacked. @throws DockerfileError, ImageError
 */
export async function openContext(tar: AsyncIterable<Uint8Array>, place: ContextPlace): Promise<BuildContext> {
  await mkdir(place.scratch, { recursive: true, mode: 0o700 });
  const spooled = await SpooledFiles.open(inFolder(place.scratch, `context-${randomUUID()}`));
  const close = () => spooled.close();
  try {
    const entries = await spooled.add(place.store.tarEntries(tar));
    return { ...(await contextOf(entries, spooled, place)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function contextOf(
  entries: Awaited<ReturnType<SpooledFiles["add"]>>,
  spooled: SpooledFiles,
  { path, folder, store }: ContextPlace,
): Promise<Omit<BuildContext, "close">> {
  const list = asSent(entries.map(({ listed }) => listed));
  const starts = new Map(list.map((entry, at) => [entry, entries[at]!.at]));
  const all = new FileTree();
  all.lay(list, (entry) => {
    const size_bytes = entry.type === "file" ? entry.size_bytes : 0;
    return { spooled, at: starts.get(entry)!, size_bytes };
  });
  const contents = new Contents(store);
  const textAt = async (file: string): Promise<string | null> => {
    const node = all.at(join(folder, file));
    if (node?.type !== "file") return null;
    if (node.size_bytes > LARGEST_TEXT_BYTES) throw new DockerfileError(`${node.path} is larger than 4 MiB`);
    return contents.text(node.source!, LARGEST_TEXT_BYTES);
  };
  const dockerfile = await textAt(path);
  if (dockerfile === null) throw new DockerfileError(`the context has no file ${join(folder, path)}`);
  let rules: string | null = null;
  for (const file of ignoreFilesFor(path)) rules ??= await textAt(file);
  const ignore = rules === null ? null : readIgnoreFile(rules);
  return { dockerfile, ignore, tree: withoutIgnored(folder === "" ? all : below(all, folder), ignore) };
}

/** As `docker build` sends files: root's, without extended attributes, times in whole seconds. */
export function asSent(list: readonly Listed[]): Listed[] {
  return list.map((entry) => {
    if (entry.type === "whiteout" || entry.type === "opaque") {
      throw new DockerfileError(
        `the context holds a name that begins with .wh. at "/${entry.path}"; layers cannot have such names`,
      );
    }
    return entry.type === "hard_link" ? entry : { ...entry, uid: 0, gid: 0, mtime_ns: 0, xattrs: {} };
  });
}

function below(tree: FileTree, folder: string): FileTree {
  const found = new FileTree();
  for (const path of pathsIn(tree, folder, null)) found.put(path.slice(folder.length + 1), tree.at(path)!);
  return found;
}

/** Folders that something is in are never left out. The root is as if nobody had made it, for it is not sent. */
function withoutIgnored(tree: FileTree, ignore: Ignore | null): FileTree {
  const kept = new FileTree();
  for (const { path, node } of placedIn(tree, [...pathsIn(tree, "", ignore)])) kept.put(path, node);
  return kept;
}

/** What is not left out. A folder that is left out may hold something that is not. */
function* pathsIn(tree: FileTree, folder: string, ignore: Ignore | null): Generator<string> {
  for (const name of tree.names(folder)) {
    const path = join(folder, name);
    if (!ignore?.ignores(path)) yield path;
    if (tree.at(path)!.type === "directory" && !ignore?.ignoresAllIn(path)) yield* pathsIn(tree, path, ignore);
  }
}
