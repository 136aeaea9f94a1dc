import type { Digest, RootFs } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { applyChanges } from "../change/change.ts";
import type { Compression } from "../compression/decompress.ts";
import { putTar } from "../layer/add.ts";
import { diffEntries, type WritableLayer } from "../layer/diff.ts";
import type { LayerEntry } from "../layer/entry.ts";
import type { LayerLimits } from "../layer/limits.ts";
import { tarOf } from "../layer/to-tar.ts";
import type { Layer, OciConfig } from "../oci.ts";
import type { LayerTree } from "../tree/layer-tree.ts";
import { createImage } from "./create.ts";

export interface Commit {
  /** Manifest of the image that the box was made of. */
  readonly image: Digest;
  /** What the box wrote. Freeze it meanwhile, or take what comes. */
  readonly writable: WritableLayer;
  /** How the box was run, from which the new image goes on; the image's own by default. */
  readonly config?: Partial<OciConfig>;
  /** `CMD`, `ENTRYPOINT`, `ENV`, `EXPOSE`, `LABEL`, `ONBUILD`, `STOPSIGNAL`, `USER`, `VOLUME`, `WORKDIR` as in a Dockerfile. */
  readonly changes?: readonly string[];
  /** The command that ran in the box. */
  readonly created_by?: string;
  readonly author?: string;
  readonly message?: string;
  readonly created: Date;
  readonly compression?: Compression;
}

interface Parts {
  readonly blobs: BlobStore;
  readonly tree: LayerTree;
  readonly limits: LayerLimits;
}

/**
 * Makes an image of an image and what a box changed of it: history and rootfs are extended. A box that changed no file adds to the history
 * alone. @returns the manifest's digest
 */
export async function commit(
  wanted: Commit,
  { lower }: RootFs,
  config: Partial<OciConfig>,
  parts: Parts,
): Promise<Digest> {
  // Before anything is packed: a wrong instruction must not cost a layer.
  const changed = applyChanges(config, wanted.changes ?? []);
  const layer = await diffLayer(wanted.writable, lower, wanted.compression ?? "gzip", parts);
  const { created_by, author, message } = wanted;
  return createImage(
    {
      base: wanted.image,
      layers: layer ? [layer] : [],
      config: changed,
      history: [
        {
          ...(created_by !== undefined && { created_by }),
          ...(author !== undefined && { author }),
          ...(message !== undefined && { comment: message }),
          ...(layer === null && { empty_layer: true }),
        },
      ],
      ...(author !== undefined && { author }),
      created: wanted.created,
    },
    parts.blobs,
  );
}

/** A layer of what a box wrote; null when it wrote nothing. */
export async function diffLayer(
  writable: WritableLayer,
  lower: readonly string[],
  compression: Compression,
  { blobs, tree, limits }: Parts,
): Promise<Layer | null> {
  const entries = diffEntries(writable, lower, tree, limits);
  const first = await entries.next();
  if (first.done) return null;
  const all = async function* (): AsyncGenerator<LayerEntry> {
    try {
      yield first.value;
      yield* entries;
    } finally {
      await entries.return(undefined);
    }
  };
  return putTar(tarOf(all()), compression, blobs);
}
