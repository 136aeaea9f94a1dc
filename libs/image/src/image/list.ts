import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import type { ListedImage } from "../image-store.ts";
import { readImage } from "./read.ts";

/** The tagged images that run on this host. What is tagged and is no image, or one for other platforms, is left out. */
export async function listImages(tags: ReadonlyMap<string, Digest>, blobs: BlobStore): Promise<ListedImage[]> {
  const byDigest = Map.groupBy(tags, ([, digest]) => digest);
  const listed = await Promise.all(
    [...byDigest].map(async ([digest, named]) => {
      const image = await readImage(digest, blobs).catch(ifNotForUs);
      if (image === null) return [];
      const { manifest, config } = image;
      return [
        {
          digest,
          tags: named.map(([tag]) => tag),
          created: config.created,
          architecture: config.architecture,
          layers: manifest.layers.length,
          size_bytes: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
        },
      ];
    }),
  );
  return listed.flat();
}

function ifNotForUs(error: unknown): null {
  if (error instanceof ImageError && (error.reason === "unsupported" || error.reason === "missing")) return null;
  throw error;
}
