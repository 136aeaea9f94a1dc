import type { Digest } from "@mayfly/contract";
import type { ImageStore, LayerEntry } from "@mayfly/image";
import { entriesOf, placedIn } from "../copy/layer.ts";
import { Contents } from "../files/contents.ts";
import { FileTree, join } from "../files/file-tree.ts";
import { contentOf, type Listed } from "../files/listing.ts";
import { ignoreFilesFor, readIgnoreFile } from "../ignore/file.ts";
import type { Ignore } from "../ignore/matcher.ts";
import { DockerfileError } from "../source/failure.ts";

/** Longer Dockerfiles are none. */
const LARGEST_TEXT_BYTES = 4 * 1024 * 1024;

export interface BuildContext {
  readonly dockerfile: string;
  readonly ignore: Ignore | null;
  /** An image whose one layer is the context, without what is left out. */
  readonly image: Digest;
}

/**
 * Takes a tar of a context, packed or not, with the Dockerfile at `path` in it. Owners and extended attributes are not taken over, as
 * `docker build` does not send them. Nothing is unpacked. `folder`: the one in it that is the context. @throws DockerfileError, ImageError
 */
export async function openContext(
  tar: AsyncIterable<Uint8Array>,
  path: string,
  store: ImageStore,
  folder = "",
): Promise<BuildContext> {
  const whole = await store.adoptLayer(tar);
  const inside = (file: string) => join(folder, file);
  const texts = await textsOf(store.layerEntries(whole.digest), [path, ...ignoreFilesFor(path)].map(inside));
  const dockerfile = texts.get(inside(path));
  if (dockerfile === undefined) throw new DockerfileError(`the context has no file ${inside(path)}`);
  const rules = ignoreFilesFor(path).find((file) => texts.has(inside(file)));
  const ignore = rules === undefined ? null : readIgnoreFile(texts.get(inside(rules))!);
  const contents = new Contents(store);
  const all = new FileTree();
  all.lay(asSent(await contents.layer(whole.digest)), whole.digest);
  const tree = folder === "" ? all : below(all, folder);
  const placed = placedIn(tree, [...pathsIn(tree, "", ignore)]);
  // It lives as long as the build: packing it would cost more than it saves.
  const layer = await store.addLayer(entriesOf(placed, contents), { compression: "none" });
  const image = await store.createImage({
    base: null,
    layers: [layer],
    config: {},
    history: ["context"],
    created: new Date(0),
  });
  return { dockerfile, ignore, image };
}

async function textsOf(entries: AsyncIterable<LayerEntry>, wanted: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const entry of entries) {
    if (entry.type !== "file" || !wanted.includes(entry.path)) continue;
    if (entry.size_bytes > LARGEST_TEXT_BYTES) throw new DockerfileError(`${entry.path} is larger than 4 MiB`);
    const parts: Uint8Array[] = [];
    for await (const chunk of contentOf(entry)) parts.push(chunk);
    texts.set(entry.path, Buffer.concat(parts).toString());
  }
  return texts;
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

/** What is not left out. A folder that is left out may hold something that is not. */
function* pathsIn(tree: FileTree, folder: string, ignore: Ignore | null): Generator<string> {
  for (const name of tree.names(folder)) {
    const path = join(folder, name);
    if (!ignore?.ignores(path)) yield path;
    if (tree.at(path)!.type === "directory" && !ignore?.ignoresAllIn(path)) yield* pathsIn(tree, path, ignore);
  }
}
