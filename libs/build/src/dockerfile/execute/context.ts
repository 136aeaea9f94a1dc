import type { Digest } from "@mayfly/contract";
import type { ImageStore, LayerEntry } from "@mayfly/image";
import { contentOf } from "../files/listing.ts";
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
 * `docker build` does not send them. Nothing is unpacked. @throws DockerfileError, ImageError
 */
export async function openContext(
  tar: AsyncIterable<Uint8Array>,
  path: string,
  store: ImageStore,
): Promise<BuildContext> {
  const whole = await store.adoptLayer(tar);
  const texts = await textsOf(store.layerEntries(whole.digest), [path, ...ignoreFilesFor(path)]);
  const dockerfile = texts.get(path);
  if (dockerfile === undefined) throw new DockerfileError(`the context has no file ${path}`);
  const rules = ignoreFilesFor(path).find((file) => texts.has(file));
  const ignore = rules === undefined ? null : readIgnoreFile(texts.get(rules)!);
  const layer = await store.addLayer(kept(store.layerEntries(whole.digest), ignore), { compression: "gzip" });
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

/** A tar may name a path twice: the last one counts. Folders that lead to something kept stay. */
async function* kept(entries: AsyncIterable<LayerEntry>, ignore: Ignore | null): AsyncGenerator<LayerEntry> {
  const seen = new Set<string>();
  for await (const entry of entries) {
    if (entry.type === "whiteout" || entry.type === "opaque") {
      throw new DockerfileError(
        `the context holds a name that begins with .wh. in "/${entry.path}"; layers cannot have such names`,
      );
    }
    if (entry.path === "" || ignore?.ignores(entry.path)) continue;
    if (seen.has(entry.path)) throw new DockerfileError(`the context holds "/${entry.path}" twice`);
    seen.add(entry.path);
    const { xattrs: _, mtime_ns: __, ...rest } = { xattrs: undefined, mtime_ns: 0, ...entry };
    yield { ...rest, uid: 0, gid: 0 } as LayerEntry;
  }
}
