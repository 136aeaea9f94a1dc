import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import { readDocument } from "../image/document.ts";
import { readImage } from "../image/read.ts";
import { requireWhole } from "../image/whole.ts";
import { measure } from "../layer/add.ts";
import type { LayerLimits } from "../layer/limits.ts";
import { isImageConfig } from "../oci.ts";

/**
 * Sees that images are whole and that their layers are those that their configs name; each layer is read once for all images.
 * @throws ImageError `missing`, `corrupt`
 */
export function verifier(parts: { readonly blobs: BlobStore; readonly limits: LayerLimits }) {
  const diffIds = new Map<Digest, Digest>();
  return async (digest: Digest): Promise<void> => {
    await requireWhole(digest, parts.blobs);
    await verify(digest, diffIds, parts);
  };
}

async function verify(
  digest: Digest,
  diffIds: Map<Digest, Digest>,
  parts: { readonly blobs: BlobStore; readonly limits: LayerLimits },
): Promise<void> {
  const document = await readDocument(digest, parts.blobs);
  if (document.kind === "index") {
    for (const part of document.index.manifests) {
      if (await parts.blobs.has(part.digest)) await verify(part.digest, diffIds, parts);
    }
    return;
  }
  if (!isImageConfig(document.manifest.config.mediaType)) return;
  const { manifest, config } = await readImage(digest, parts.blobs);
  for (const [at, layer] of manifest.layers.entries()) {
    const diffId = diffIds.get(layer.digest) ?? (await measure(layer.digest, parts.blobs, parts.limits)).diff_id;
    diffIds.set(layer.digest, diffId);
    const named = config.rootfs.diff_ids[at];
    if (diffId !== named) {
      throw new ImageError(
        "corrupt",
        `the layer ${layer.digest} of ${digest} has the diff_id ${diffId}, its config names ${named}`,
      );
    }
  }
}
