import { createReadStream } from "node:fs";
import type { Layer } from "@mayfly/image";
import { FileTree, inLayer } from "../files/file-tree.ts";
import { secondsOf } from "../files/listing.ts";
import type { CopySource } from "../plan/step.ts";
import { DockerfileError } from "../source/failure.ts";
import { asSent } from "./context.ts";
import { remoteKey } from "./key.ts";
import type { FetchedFile, RemoteIdentity } from "./ports.ts";
import type { StepParts } from "./step.ts";

export type RemoteOrigin = Extract<CopySource, { readonly kind: "http" | "git" }>;
type Parts = Pick<StepParts, "store" | "cache" | "noCache" | "contents" | "fetch" | "signal" | "onOutput" | "now">;

/** As Docker gives it to what comes over HTTP. */
const MODE = 0o600;

/**
 * The files that an address or a repository stands for. What was fetched before is taken again when the server names the same content, by
 * an ETag or a commit; an address with a checksum is asked for nothing then. @throws DockerfileError
 */
export async function remoteTree(source: RemoteOrigin, parts: Parts): Promise<FileTree> {
  const { layer, mtime_s } = await layerOf(source, parts);
  const list = asSent(await parts.contents.layer(layer.digest));
  const tree = new FileTree();
  tree.lay(
    mtime_s === null ? list : list.map((entry) => ("mode" in entry ? { ...entry, mtime_s } : entry)),
    inLayer(layer.digest),
  );
  return tree;
}

async function layerOf(source: RemoteOrigin, parts: Parts): Promise<{ layer: Layer; mtime_s: number | null }> {
  const { store, cache, noCache, fetch, signal, onOutput, now } = parts;
  const checksum = source.kind === "http" ? source.checksum : null;
  const here = async (key: string | null) => {
    const layer = key === null || noCache ? null : await cache.step(key);
    return layer && (await store.blobs.has(layer.digest)) ? layer : null;
  };
  const pinned = checksum === null ? null : remoteKey(source, checksum);
  const known = await here(pinned);
  if (known) return { layer: known, mtime_s: null };
  let same: Layer | null = null;
  const keyFor = ({ identity }: RemoteIdentity) => (identity === null ? null : remoteKey(source, identity));
  const fetched = await fetch(requestOf(source), { signal, onOutput }, async (head) => {
    same = await here(keyFor(head));
    return same !== null;
  });
  try {
    if (same !== null) return { layer: same, mtime_s: fetched.head.mtime_s };
    const file = fetched.file!;
    if (checksum !== null && file.digest !== checksum)
      throw new DockerfileError(
        `digest mismatch: ${source.kind === "http" ? source.url : ""} has ${file.digest}, not ${checksum}`,
      );
    const layer =
      source.kind === "git"
        ? await store.adoptLayer(createReadStream(file.path))
        : await lone(source.name, file, fetched.head, parts);
    for (const key of [pinned, keyFor(fetched.head)])
      if (key !== null) await cache.keepStep(key, { ...layer, made_at: now.toISOString() });
    return { layer, mtime_s: null };
  } finally {
    await fetched.release();
  }
}

function lone(
  name: string,
  { path, size_bytes }: FetchedFile,
  head: RemoteIdentity,
  { store, now }: Parts,
): Promise<Layer> {
  const attributes = { mode: MODE, uid: 0, gid: 0, mtime_s: head.mtime_s ?? secondsOf(now) };
  const entry = { type: "file", path: name, ...attributes, size_bytes, content: () => createReadStream(path) } as const;
  return store.addLayer([entry], { compression: "gzip" });
}

const requestOf = (source: RemoteOrigin) =>
  source.kind === "http"
    ? ({ kind: "http", url: source.url } as const)
    : ({
        kind: "git",
        remote: source.remote,
        ref: source.ref,
        folder: source.folder,
        keep_git_dir: source.keep_git_dir,
      } as const);
